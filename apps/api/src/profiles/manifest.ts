import { encryptionScheme } from '@fhir-bulk-export/core/crypto'
import type { FileRow } from '@fhir-bulk-export/core/db'
import type { FileList, Manifest, ManifestItem } from '@fhir-bulk-export/core/exports'
import { toFileUrl } from '../http/addresses.ts'
import type { ExportState } from './profile.ts'

/** Bulk Data 3.0.0, Response - Complete Status: absolute http(s) URLs for the request and the files. */
export function toHttpManifest (state: ExportState): Manifest {
  return toManifest(state, `${state.publicUrl}${state.row.request}`, false)
}

/**
 * The request as it was sent, and files as `ipfs://<CID>`. The CID of an encrypted file names ciphertext: its `url` is http(s), which gives
 * plaintext.
 */
export function toIpfsManifest (state: ExportState): Manifest {
  return toManifest(state, state.row.request, true)
}

function toManifest (state: ExportState, request: string, isIpfs: boolean): Manifest {
  const { row: { transaction_time: transactionTime }, files } = state
  if (transactionTime === null) throw new Error('a manifest needs a completed export')
  const select = (list: FileList) => files.filter((file) => file.list === list).map((file) => toItem(file, isIpfs, state))
  return {
    transactionTime: transactionTime.toISOString(),
    request,
    requiresAccessToken: true,
    output: select('output'),
    deleted: select('deleted'),
    error: select('error'),
  }
}

function toItem (file: FileRow, isIpfs: boolean, { publicUrl, gatewayUrl }: ExportState): ManifestItem {
  const { name, cid, size, sha256, count, key_id: keyId, type } = file
  if (name === null || cid === null || size === null || sha256 === null || count === null) {
    throw new Error('a published file is known whole')
  }
  const url = toFileUrl(publicUrl, file.export_id, name)
  const content = { ...(gatewayUrl === undefined ? {} : { gateway: `${gatewayUrl}/ipfs/${cid}` }), sha256, fileSize: size }
  if (keyId !== null) {
    return { type, url, count, extension: { cid, url: `ipfs://${cid}`, ...content, encryption: { scheme: encryptionScheme, keyId } } }
  }
  return isIpfs
    ? { type, url: `ipfs://${cid}`, count, extension: { url, ...content } }
    : { type, url, count, extension: { cid, ...content } }
}
