// SPDX-License-Identifier: MIT
// The JSON schemas of the requests and answers.
'use strict'
const id = { type: 'integer', minimum: 1 }
const idOrNull = { ...id, nullable: true }
const time = { type: 'string', format: 'date-time', nullable: true }
const text = { type: 'string', nullable: true }
const status = { type: 'string', enum: ['none', 'needs_action', 'in_progress', 'complete'] }
const date = { type: 'string', format: 'date' }

function object (properties, more) {
  return { type: 'object', properties, additionalProperties: false, ...more }
}

const parts = ['address_1', 'address_2', 'address_3', 'city', 'state', 'zip', 'country']
const address = object(Object.fromEntries(parts.map(part => [part, { type: 'string', maxLength: 255 }])),
  { nullable: true })

const given = {
  casefile_id: idOrNull,
  calendar_id: id,
  subject_id: idOrNull,
  case_service_id: idOrNull,
  status,
  due_on: date,
  title: { type: 'string', minLength: 1, maxLength: 255, pattern: '\\S' },
  body: { type: 'string', maxLength: 65535 },
  address,
  users_list: { type: 'array', items: id, maxItems: 100 },
  alert_at: time,
  complete_at: time,
  external_id: { type: 'string', minLength: 1, maxLength: 255, nullable: true },
}

// What fast-json-stringify writes: plain types, in the order of docket's answers.
const whole = { type: 'integer' }
const wholeOrNull = { type: 'integer', nullable: true }
const plain = { type: 'string' }
const task = {
  type: 'object',
  properties: {
    id: whole,
    casefile_id: wholeOrNull,
    calendar_id: whole,
    subject_id: wholeOrNull,
    case_service_id: wholeOrNull,
    status: plain,
    due_on: plain,
    title: plain,
    body: plain,
    address: { type: 'object', nullable: true, properties: Object.fromEntries(parts.map(part => [part, plain])) },
    users_list: { type: 'array', items: whole },
    alert_at: text,
    alert_sent_at: text,
    complete_at: text,
    external_id: text,
    created_at: plain,
    updated_at: plain,
  },
}

const params = object({ id })
const body = required => object({ task: object(given, { required }) }, { required: ['task'] })

module.exports = {
  empty: { subject_id: null, case_service_id: null, status: 'none', body: '', address: null, users_list: [],
    alert_at: null, complete_at: null, external_id: null },
  list: {
    querystring: object({
      status,
      due_from: date,
      due_to: date,
      case: id,
      user: id,
      sort: { type: 'string', enum: ['id', 'due_on'], default: 'id' },
      page: { ...id, default: 1 },
      per_page: { ...id, maximum: 500, default: 100 },
      mode: { type: 'string', enum: ['count'] },
    }),
    response: { 200: { type: 'array', items: task } },
  },
  one: { params, response: { 200: task } },
  create: { body: body(['casefile_id', 'calendar_id', 'due_on', 'title']), response: { 201: task } },
  change: { params, body: body([]), response: { 200: task } },
}
