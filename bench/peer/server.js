// SPDX-License-Identifier: MIT
// What a user might write instead of docket: the API of tasks, as far as bench/scenarios/ use it, with Fastify
// and better-sqlite3. server.js DATABASE TOKEN-FILE
'use strict'
const fs = require('node:fs')
const Database = require('better-sqlite3')
const fastify = require('fastify')
const schemas = require('./schemas')

const [file, tokenFile] = process.argv.slice(2)
const access = 'Basic ' + Buffer.from('admin/token:' + fs.readFileSync(tokenFile, 'utf8').trim()).toString('base64')

const db = new Database(file, { fileMustExist: true })
for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', 'cache_size = -131072', 'temp_store = MEMORY'])
  db.pragma(pragma)

const own = ['casefile_id', 'calendar_id', 'subject_id', 'case_service_id', 'status', 'due_on', 'title', 'body',
  'address', 'alert_at', 'alert_sent_at', 'complete_at', 'external_id', 'created_at', 'updated_at']
const select = `SELECT id, ${own.join(', ')}, (SELECT json_group_array(user_id) FROM task_user WHERE task_id = task.id)
  AS users_list FROM task`
const selectOne = db.prepare(select + ' WHERE id = ?')
const insert = db.prepare(`INSERT INTO task (${own.join(', ')}) VALUES (${own.map(name => '@' + name).join(', ')})`)
const update = db.prepare(`UPDATE task SET ${own.map(name => `${name} = @${name}`).join(', ')} WHERE id = @id`)
const assign = db.prepare('INSERT INTO task_user (task_id, user_id) VALUES (?, ?)')
const unassign = db.prepare('DELETE FROM task_user WHERE task_id = ?')

const conditions = {
  status: 'status = @status',
  due_from: 'due_on >= @due_from',
  due_to: 'due_on <= @due_to',
  case: 'casefile_id = @case',
  user: 'id IN (SELECT task_id FROM task_user WHERE user_id = @user)',
}
const orders = { id: 'id', due_on: 'due_on, id' }

// The statements of lists, by their text.
const prepared = new Map()
function prepare (sql) {
  let statement = prepared.get(sql)
  if (!statement)
    prepared.set(sql, statement = db.prepare(sql))
  return statement
}

function fromRow (row) {
  row.users_list = JSON.parse(row.users_list)
  row.address = JSON.parse(row.address)
  return row
}

function now () {
  return new Date().toISOString().slice(0, 19) + 'Z'
}

// Fills in what follows from the other fields, and makes a row of the task.
function toRow (task, before) {
  if (task.status !== 'complete')
    task.complete_at = null
  else
    task.complete_at ??= now()
  if (before && task.alert_at !== before.alert_at)
    task.alert_sent_at = null
  task.updated_at = now()
  return { ...task, address: task.address && JSON.stringify(task.address) }
}

function setUsers (id, users) {
  for (const user of new Set(users))
    assign.run(id, user)
}

const create = db.transaction(given => {
  const task = { ...schemas.empty, ...given, alert_sent_at: null, created_at: now() }
  task.id = Number(insert.run(toRow(task)).lastInsertRowid)
  setUsers(task.id, task.users_list)
  return task
})

const change = db.transaction((id, given) => {
  const row = selectOne.get(id)
  if (!row)
    return null
  const before = fromRow(row)
  const task = { ...before, ...given }
  if (given.address && before.address)
    task.address = { ...before.address, ...given.address }
  update.run(toRow(task, before))
  if (given.users_list) {
    unassign.run(id)
    setUsers(id, given.users_list)
  }
  return task
})

const app = fastify({ ajv: { customOptions: { removeAdditional: false } } })

app.addHook('onRequest', (request, reply, next) => {
  if (request.headers.authorization === access)
    next()
  else
    reply.code(401).send({ detail: 'a valid API token is required' })
})

app.get('/api/v1/tasks', { schema: schemas.list }, (request, reply) => {
  const query = { ...request.query }
  const where = Object.keys(conditions).filter(name => query[name] !== undefined).map(name => conditions[name])
  const from = where.length ? ' WHERE ' + where.join(' AND ') : ''
  if (query.mode === 'count') {
    const count = prepare('SELECT count(*) AS n FROM task' + from).get(query).n
    const answer = { record_count: count, page_count: Math.ceil(count / query.per_page) }
    reply.type('application/json; charset=utf-8').send(JSON.stringify(answer))
    return
  }
  query.offset = (query.page - 1) * query.per_page
  const rows = prepare(`${select}${from} ORDER BY ${orders[query.sort]} LIMIT @per_page OFFSET @offset`).all(query)
  reply.send(rows.map(fromRow))
})

app.get('/api/v1/tasks/:id', { schema: schemas.one }, (request, reply) => {
  const row = selectOne.get(request.params.id)
  if (row)
    reply.send(fromRow(row))
  else
    reply.code(404).send({ detail: 'there is no such task' })
})

app.post('/api/v1/tasks', { schema: schemas.create }, (request, reply) => {
  const task = create.immediate(request.body.task)
  reply.code(201).header('Location', '/api/v1/tasks/' + task.id).send(task)
})

app.patch('/api/v1/tasks/:id', { schema: schemas.change }, (request, reply) => {
  const task = change.immediate(request.params.id, request.body.task)
  if (task)
    reply.send(task)
  else
    reply.code(404).send({ detail: 'there is no such task' })
})

app.listen({ host: '127.0.0.1', port: 0 }).then(at => console.error('listening on ' + at))
process.on('SIGTERM', () => {
  db.close()
  process.exit(0)
})
