import { createSecretKey, type KeyObject } from 'node:crypto'

/** A master key: it encrypts data keys (data-key.ts), never content. A KeyObject is not printed by loggers and inspectors. */
export interface MasterKey { readonly id: string, readonly key: KeyObject }

/**
 * The master keys of EXPORT_ENCRYPTION_KEY: the first encrypts, all decrypt. Plain data, so that it can be handed to another
 * thread.
 */
export type Keyring = readonly [MasterKey, ...MasterKey[]]

// The last character of 32 bytes in base64 has but four bits; a second entry of the same id would never be used.
const entry = '[A-Za-z0-9._-]{1,64}:[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]='
export const keyringPattern = `^(?!(?:.*,)?([^:,]+):.*,\\1:)${entry}(,${entry})*$`

/** `id:base64[,id:base64…]`, as `keyringPattern` has it; each key is of 32 bytes. @throws TypeError for anything else. */
export function parseKeyring (text: string): Keyring {
  const [first, ...others] = text.split(',').map(toMasterKey)
  if (first === undefined) throw new TypeError('a keyring has a key')
  return [first, ...others]
}

export function findMasterKey (keyring: Keyring, id: string): MasterKey | undefined {
  return keyring.find((key) => key.id === id)
}

function toMasterKey (text: string): MasterKey {
  const colon = text.indexOf(':')
  const bytes = Buffer.from(text.slice(colon + 1), 'base64')
  if (bytes.length !== 32) throw new TypeError('a master key has 32 bytes')
  return { id: text.slice(0, colon), key: createSecretKey(bytes) }
}
