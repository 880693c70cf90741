import { toFhirBase } from '@fhir-bulk-export/core/fhir-base'

/** Addresses that clients are given. They are built from PUBLIC_URL alone, never from Host or X-Forwarded-*. */

export function toStatusUrl (publicUrl: string, exportId: string): string {
  return `${toFhirBase(publicUrl)}/$export-status/${exportId}`
}

export function toFileUrl (publicUrl: string, exportId: string, fileName: string): string {
  return `${toFhirBase(publicUrl)}/$export-file/${exportId}/${fileName}`
}
