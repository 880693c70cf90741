import { Type, type Static } from '@sinclair/typebox'

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
