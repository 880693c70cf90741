import t from 'tap'
import { writeInstant } from '../../src/resources/timestamp.ts'

const epoch = BigInt(Date.UTC(2000, 0, 1)) * 1_000n
const [yearOne, yearTenThousand] = [BigInt(Date.parse('0001-01-01T00:00:00Z')) * 1_000n,
  BigInt(Date.parse('+010000-01-01T00:00:00Z')) * 1_000n]

/** `time`: µs since 1970. */
function write (time: bigint): string | undefined {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(time - epoch)
  const target = Buffer.alloc(40)
  const end = writeInstant(bytes, 0, target, 5)
  return end === -1 ? undefined : target.toString('latin1', 5, end)
}

/** The same by Date, whose milliseconds end before the microseconds. */
function expected (time: bigint): string {
  const micros = ((time % 1_000_000n) + 1_000_000n) % 1_000_000n
  const text = new Date(Number((time - micros) / 1_000n)).toISOString().slice(0, 19)
  return micros === 0n ? `${text}Z` : `${text}.${String(micros).padStart(6, '0').replace(/0+$/, '')}Z`
}

t.test('an instant has as many digits as it needs, in every year that FHIR can write', async (t) => {
  for (const [time, text] of [
    [0n, '1970-01-01T00:00:00Z'],
    [epoch, '2000-01-01T00:00:00Z'],
    [-1n, '1969-12-31T23:59:59.999999Z'],
    [epoch - 1n, '1999-12-31T23:59:59.999999Z'],
    [951_825_600_120_000n, '2000-02-29T12:00:00.12Z'],
    [yearOne, '0001-01-01T00:00:00Z'],
    [yearTenThousand - 1n, '9999-12-31T23:59:59.999999Z'],
  ] as const) t.equal(write(time), text)

  const span = yearTenThousand - yearOne
  let wrong = 0
  for (let i = 0; i < 20_000; i++) {
    const time = yearOne + (span * BigInt(i)) / 20_000n + BigInt(i * 7_919 % 1_000_000)
    if (time < yearTenThousand && write(time) !== expected(time)) wrong++
  }
  t.equal(wrong, 0, 'the same as Date has it, all over the years')
})

t.test('a time that FHIR cannot write is told', async (t) => {
  for (const time of [yearOne - 1n, yearTenThousand, 0x7fff_ffff_ffff_ffffn + epoch, -0x8000_0000_0000_0000n + epoch]) {
    t.equal(write(time), undefined)
  }
})
