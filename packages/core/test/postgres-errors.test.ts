import t from 'tap'
import {
  findPostgresFailure, hasSqlState, isDatabaseUnavailable, isDataException, isLastingFailure, isQuotingValues, isRowRefused,
  isUnderRowSecurity,
} from '../src/postgres-errors.ts'

const failure = (code: string, fields: object = {}) => Object.assign(new Error('invalid input syntax for type date: "secret"'),
  { code, ...fields })

t.test('what PostgreSQL says is told without its message', async (t) => {
  t.strictSame(findPostgresFailure(failure('23514', {
    column: 'gender', constraint: 'is_code', routine: 'ExecConstraints',
    detail: 'secret'
  })),
  { sqlState: '23514', column: 'gender', constraint: 'is_code', routine: 'ExecConstraints' })
  t.match(findPostgresFailure(failure('XX001')), { sqlState: 'XX001' })
})

t.test('an error of the system is none of PostgreSQL, though its code has five letters', async (t) => {
  for (const error of [failure('EPIPE'), failure('EBUSY'), failure('ENOENT'), new Error('none'), { code: '42501' }, undefined]) {
    t.equal(findPostgresFailure(error), undefined)
    t.notOk(hasSqlState(error, 'insufficientPrivilege') || isRowRefused(error) || isLastingFailure(error))
  }
  t.ok(isDatabaseUnavailable(failure('EPIPE')))
})

t.test('failures are told apart by state and class', async (t) => {
  for (const [code, expected] of [
    ['22007', { isData: true, isQuoting: true, isRefused: true, isLasting: true }],
    ['23505', { isData: false, isQuoting: true, isRefused: true, isLasting: false }],
    ['54000', { isData: false, isQuoting: false, isRefused: true, isLasting: false }],
    ['42P01', { isData: false, isQuoting: false, isRefused: false, isLasting: true }],
    ['57014', { isData: false, isQuoting: false, isRefused: false, isLasting: false }],
  ] as const) {
    const error = failure(code)
    t.strictSame({
      isData: isDataException(error), isQuoting: isQuotingValues(error), isRefused: isRowRefused(error),
      isLasting: isLastingFailure(error)
    }, expected, code)
  }
  t.ok(isUnderRowSecurity(failure('42501', { routine: 'check_enable_rls' })))
  t.notOk(isUnderRowSecurity(failure('42501')))
})
