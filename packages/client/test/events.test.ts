import { describe, expect, test } from 'vitest'
import { CloseEvent, type CloseEventInit } from '../src/index.ts'

const make = (...all: unknown[]) => new (CloseEvent as unknown as new (...all: unknown[]) => CloseEvent)(...all)

describe('[R13] CloseEvent', () => {
  test('has what it was given', () => {
    const event = new CloseEvent('close', { wasClean: true, code: 1000, reason: 'done' })
    expect(event).toBeInstanceOf(Event)
    expect([event.type, event.wasClean, event.code, event.reason]).toEqual(['close', true, 1000, 'done'])
    expect([event.bubbles, event.cancelable, event.composed]).toEqual([false, false, false])
    expect(String(event)).toBe('[object CloseEvent]')
  })

  test.each([[], [undefined], [null], [{}]])('its defaults with %j', (...init) => {
    const event = make('close', ...init)
    expect([event.wasClean, event.code, event.reason]).toEqual([false, 0, ''])
    expect([event.bubbles, event.cancelable]).toEqual([false, false])
  })

  test('the fields of every event', () => {
    const event = new CloseEvent('other', { bubbles: true, cancelable: true, composed: true })
    expect([event.type, event.bubbles, event.cancelable, event.composed]).toEqual(['other', true, true, true])
  })

  test('values are converted', () => {
    const event = make(5, { wasClean: 'yes', code: 65536 + 1000.7, reason: 'a\ud800' })
    expect([event.type, event.wasClean, event.code, event.reason]).toEqual(['5', true, 1000, 'a\ufffd'])
  })

  test('its fields stay, and cannot be assigned', () => {
    const init = { code: 1000 }
    const event = new CloseEvent('close', init)
    init.code = 1001
    expect(event.code).toBe(1000)
    expect(() => {
      ;(event as CloseEventInit as { code: number }).code = 1002
    }).toThrow(TypeError)
  })

  test('wrong arguments', () => {
    expect(CloseEvent.length).toBe(1)
    expect(() => make()).toThrow(TypeError)
    expect(() => make(Symbol('close'))).toThrow(TypeError)
    expect(() => make('close', 5)).toThrow(TypeError)
    expect(() => make('close', { code: 5n })).toThrow(TypeError)
    expect(() => (CloseEvent as unknown as () => void)()).toThrow(TypeError)
  })

  test.each(['wasClean', 'code', 'reason'])('%s is a getter of the prototype', (name) => {
    const property = Object.getOwnPropertyDescriptor(CloseEvent.prototype, name)
    expect(property).toMatchObject({ set: undefined, enumerable: true, configurable: true })
    expect(() => property?.get?.call(new Event('close'))).toThrow(TypeError)
  })
})
