import t from 'tap'
import { selectCoding } from '../../src/http/content-coding.ts'

t.test('gzip is sent to those who ask for it, the bytes as they are to all others', async (t) => {
  for (const [header, expected] of [
    [undefined, 'identity'],
    ['', 'identity'],
    ['gzip', 'gzip'],
    ['x-gzip', 'gzip'],
    ['GZip', 'gzip'],
    ['gzip, deflate, br', 'gzip'],
    ['deflate;q=0.9 , gzip ; q=0.5', 'gzip'],
    ['br', 'identity'],
    ['*', 'gzip'],
    ['*;q=0', 'identity'],
    ['gzip;q=0', 'identity'],
    ['gzip;q=0.000', 'identity'],
    ['gzip;q=0, *', 'identity'],
    ['identity', 'identity'],
    ['identity;q=0', 'identity'],
    ['identity;q=0.5, gzip;q=1.0', 'gzip'],
    ['identity;q=0.5, gzip;q=0.5', 'gzip'],
    ['identity, gzip;q=0.5', 'identity'],
    ['gzip;q=2', 'identity'],
    ['gzip;q=a', 'identity'],
    ['gzip;q=0.0001', 'identity'],
    [',,gzip,', 'gzip'],
  ] as const) {
    t.equal(selectCoding(header), expected, String(header))
  }
})
