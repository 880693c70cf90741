import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { encryptionScheme } from '../crypto/layout.ts'
import type { FileRow } from '../db/tables/bulk-export-files.ts'
import type { ExportSummary } from './find.ts'
import type { FileList } from '../vocabulary.ts'

const text = (description: string) => Type.String({ description })

const manifestItemSchema = Type.Object({
  type: text('The resource type of its lines: of `error` OperationOutcome, of `deleted` Bundle'),
  url: text('Its address, in the scheme of the wire profile; the other one stands in the extension'),
  count: Type.Integer({ minimum: 1, description: 'Lines' }),
  extension: Type.Object({
    cid: Type.Optional(text('What IPFS calls its content')),
    url: Type.Optional(text('Its other address')),
    gateway: Type.Optional(text('The content of the CID over HTTP, by a gateway of the operator\'s')),
    sha256: text('Hex, of the plaintext'),
    fileSize: Type.Integer({ minimum: 1, description: 'Bytes of the plaintext' }),
    encryption: Type.Optional(Type.Object({ scheme: Type.String(), keyId: Type.String() }, {
      description: 'What the CID names is ciphertext; over https the plaintext comes',
    })),
  }),
}, { title: 'ManifestItem' })
export type ManifestItem = Static<typeof manifestItemSchema>

/** Bulk Data 3.0.0, Response - Complete Status. */
export const manifestSchema = Type.Object({
  transactionTime: Type.String({ format: 'date-time', description: 'The instant of the database that the export is: the next `_since`' }),
  request: text('The kick-off: its address, without Prefer as it was sent'),
  requiresAccessToken: Type.Literal(true),
  output: Type.Array(manifestItemSchema, { description: 'Files of exported resources' }),
  deleted: Type.Array(manifestItemSchema, { description: 'With _since: files of transaction Bundles, of what was deleted' }),
  error: Type.Array(manifestItemSchema, { description: 'Files of OperationOutcomes' }),
}, { title: 'Manifest' })
export type Manifest = Static<typeof manifestSchema>

export interface ManifestAddresses {
  publicUrl: string
  /** Of a path gateway (https://specs.ipfs.tech/http-gateways/path-gateway/), without a slash at its end. */
  gatewayUrl?: string | undefined
}

/**
 * The completion document of an export.
 * The reference card's profile addresses files as `ipfs://<CID>` and repeats the request as it was sent; the Bulk Data
 * profiles give absolute http(s) URLs under `publicUrl` for both. What an encrypted file's CID names is of no use to a client:
 * in every profile it is addressed by http(s), where it comes decrypted.
 * @throws when the export is not completed.
 */
export function toManifest (row: ExportSummary, files: FileRow[], addresses: ManifestAddresses): Manifest {
  if (row.transaction_time === null) throw new Error('a manifest needs a completed export')
  const isCard = row.wire_profile === 'reference-card'
  const select = (list: FileList) => files.filter((file) => file.list === list).map((file) => toItem(file, isCard, addresses))
  return {
    transactionTime: row.transaction_time.toISOString(),
    request: isCard ? row.request : `${addresses.publicUrl}${row.request}`,
    requiresAccessToken: true,
    output: select('output'),
    deleted: select('deleted'),
    error: select('error'),
  }
}

function toItem (file: FileRow, isCard: boolean, { publicUrl, gatewayUrl }: ManifestAddresses): ManifestItem {
  const { name, cid, size, sha256, count, key_id: keyId } = file
  if (name === null || cid === null || size === null || sha256 === null || count === null) throw new Error('a published file is known whole')
  const url = `${publicUrl}/fhir/r4/$export-file/${file.export_id}/${name}`
  const content = { ...(gatewayUrl === undefined ? {} : { gateway: `${gatewayUrl}/ipfs/${cid}` }), sha256, fileSize: size }
  if (keyId !== null) {
    return { type: file.type, url, count, extension: { cid, url: `ipfs://${cid}`, ...content, encryption: { scheme: encryptionScheme, keyId } } }
  }
  return isCard
    ? { type: file.type, url: `ipfs://${cid}`, count, extension: { url, ...content } }
    : { type: file.type, url, count, extension: { cid, ...content } }
}
