import { Type, type TString } from '@sinclair/typebox'

/* Headers of requests and responses, for the documentation: each is described once. */

const header = (description: string): TString => Type.String({ description })

const accept = Type.Optional(header('The media type of the answer. `application/fhir+json` is what Bulk Data asks of clients; ' +
  'an Accept of XML alone is a 406'))

export const acceptHeaders = Type.Object({ Accept: accept })

export const kickOffHeaders = Type.Object({
  Accept: accept,
  Prefer: Type.Optional(header('`respond-async` chooses the wire profile of Bulk Data, ' +
    '`respond-async, separate-export-status` that with X-Export-Status. ' +
    '`handling=lenient` ignores what is unknown or not supported, and reports it')),
})

export const downloadHeaders = Type.Object({
  'Accept-Encoding': Type.Optional(header('`gzip`: the file is compressed')),
  Range: Type.Optional(header('One range of bytes')),
  'If-Range': Type.Optional(header('The ETag: the range is sent if the file is still this one, and else the whole file')),
  'If-Match': Type.Optional(header('ETags: 412 unless the file is one of these')),
  'If-None-Match': Type.Optional(header('ETags: 304 if the file is one of these')),
})

export const contentLocation = header('The address of the export\'s status')
export const preferenceApplied = header('`respond-async, separate-export-status`, where that was preferred')
export const expires = header('When the export and its files will be gone')
export const retryAfter = header('Seconds to wait before the next request')
export const xProgress = header('How far the export is, for a person: less than 100 characters of ASCII')
export const xExportStatus = header('With separate-export-status: the status of the export, as `202 Accepted`')
export const wwwAuthenticate = header('Of a 401')
export const allow = header('Of a 405: the methods of this address')
export const eTag = header('Of the content: its SHA-256')
export const acceptRanges = header('`bytes`')
export const contentRange = header('Which bytes of how many')
export const contentEncoding = header('`gzip`, where it is compressed')
