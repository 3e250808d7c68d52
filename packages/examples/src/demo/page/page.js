// The live page: the browser's own WebSocket in, SVG out. Rules:
// - A message is only remembered when it comes; drawing is done once a frame, and less often for those who want less motion.
// - When the connection ends it is tried again, later each time; the button tries at once.
// - What screen readers announce by themselves is the state of the connection, not twenty numbers a second.

/** How far back the charts go, in ms. */
const SPAN = 60_000
/** Samples further apart than this are not joined by a line, in ms. */
const GAP = 1_000
const FIRST_RETRY = 500
const LAST_RETRY = 8_000
const SECOND = 1_000
const GIB = 2 ** 30
const MIB = 2 ** 20

const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/updates`

/** @type {{ at: number, cpu: number, memory: number }[]} */
const history = []
let latest
/** The last sequence number of this connection: publishers begin again at 1. */
let last = Number.POSITIVE_INFINITY
let delay = 0
let received = 0
let missed = 0
let changed = false

// --- The connection

let retry = FIRST_RETRY
let timer
let socket

function connect() {
  clearTimeout(timer)
  showState('connecting', 'Connecting…')
  last = Number.POSITIVE_INFINITY
  const mine = new WebSocket(url)
  socket = mine
  mine.onopen = () => {
    retry = FIRST_RETRY
    showState('open', 'Connected')
  }
  mine.onmessage = ({ data }) => receive(data)
  mine.onclose = ({ code, reason }) => {
    if (mine === socket) retryLater(`Closed with ${code}${reason === '' ? '' : ` (${reason})`}`)
  }
}

function retryLater(why) {
  showState('closed', `${why}. Trying again in ${retry / SECOND} s`)
  timer = setTimeout(connect, retry)
  retry = Math.min(retry * 2, LAST_RETRY)
}

/** Other clients may send anything: what is no sample is not for us. */
function receive(data) {
  const sample = parse(data)
  if (!Array.isArray(sample?.usage?.cores)) return
  if (sample.sequence > last) missed += sample.sequence - last - 1
  last = sample.sequence
  latest = sample
  delay = Math.max(Date.now() - sample.time, 0)
  received++
  const at = performance.now()
  history.push({ at, cpu: sample.usage.total / 100, memory: 1 - sample.memory.free / sample.memory.total })
  while (history[0].at < at - SPAN - GAP) history.shift()
  changed = true
}

function parse(data) {
  try {
    return JSON.parse(data)
  } catch {
    return undefined
  }
}

// --- Drawing

const element = (id) => document.getElementById(id)

function showState(state, text) {
  document.documentElement.dataset.state = state
  element('state').textContent = text
  element('connect').hidden = state !== 'closed'
}

function show(id, text) {
  element(id).textContent = text
}

function draw() {
  if (!changed || latest === undefined) return
  changed = false
  const { usage, memory, load, sequence, rss, uptime } = latest
  show('cpu', usage.total.toFixed(1))
  show('memory', gib(memory.total - memory.free))
  show('memory-total', gib(memory.total))
  show('load', load[0].toFixed(2))
  show('core-count', usage.cores.length === 1 ? '1 core' : `${usage.cores.length} cores`)
  show('received', received.toLocaleString('en'))
  show('rate', String(arrivedSince(performance.now() - SECOND)))
  show('sequence', `#${sequence.toLocaleString('en')}`)
  show('missed', String(missed))
  show('delay', `${delay} ms`)
  show('rss', `${(rss / MIB).toFixed(0)} MiB`)
  show('uptime', duration(uptime))
  drawBars(
    'cores',
    usage.cores.map((percent, index) => [`Core ${index + 1}`, percent / 100, `${percent.toFixed(1)} %`]),
  )
  drawBars(
    'loads',
    load.map((average, index) => [`${[1, 5, 15][index]} min`, average / usage.cores.length, average.toFixed(2)]),
  )
  drawChart('cpu-chart', 'cpu')
  drawChart('memory-chart', 'memory')
}

/** @param rows a name, a share from 0 to 1, and that share in words */
function drawBars(id, rows) {
  const list = element(id)
  while (list.children.length > rows.length) list.lastChild.remove()
  while (list.children.length < rows.length) list.append(makeBar())
  for (const [index, [name, share, words]] of rows.entries()) {
    const [title, bar, value] = list.children[index].children
    title.textContent = name
    bar.style.setProperty('--share', Math.min(share, 1))
    value.textContent = words
  }
}

function makeBar() {
  const item = document.createElement('li')
  for (const name of ['', 'bar', '']) {
    const part = document.createElement('span')
    part.className = name
    item.append(part)
  }
  return item
}

function drawChart(id, name) {
  const now = performance.now()
  const segments = []
  let before = Number.NEGATIVE_INFINITY
  for (const point of history) {
    if (point.at < now - SPAN) continue
    if (point.at - before > GAP) segments.push([])
    before = point.at
    const x = 100 - ((now - point.at) / SPAN) * 100
    segments.at(-1).push(`${x.toFixed(2)} ${(100 - point[name] * 100).toFixed(2)}`)
  }
  const [, area, line] = element(id).children
  line.setAttribute('d', segments.map((points) => `M${points.join('L')}`).join(''))
  area.setAttribute('d', segments.map(underneath).join(''))
}

function underneath(points) {
  const [first] = points[0].split(' ')
  const [last] = points.at(-1).split(' ')
  return `M${first} 100L${points.join('L')}L${last} 100Z`
}

/** Charts in words, for those who do not see them; and time goes on when no sample comes. */
function tick() {
  changed = true
  if (history.length === 0) return
  for (const [id, name, title] of [
    ['cpu-chart', 'cpu', 'CPU usage'],
    ['memory-chart', 'memory', 'Memory in use'],
  ]) {
    const shares = history.map((point) => Math.round(point[name] * 100))
    const words = `now ${shares.at(-1)} %, lowest ${Math.min(...shares)} %, highest ${Math.max(...shares)} %`
    element(id).setAttribute('aria-label', `${title} in the last minute: ${words}`)
  }
}

function arrivedSince(time) {
  return history.filter((point) => point.at > time).length
}

function gib(bytes) {
  return (bytes / GIB).toFixed(2)
}

function duration(seconds) {
  const minutes = Math.floor(seconds / 60)
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24]
  if (days > 0) return `${days} d ${hours} h`
  return hours > 0 ? `${hours} h ${minutes % 60} min` : `${minutes} min`
}

function drawEachFrame() {
  draw()
  requestAnimationFrame(drawEachFrame)
}

// --- Beginning

show('url', url)
element('connect').addEventListener('click', connect)
setInterval(tick, SECOND)
if (matchMedia('(prefers-reduced-motion: reduce)').matches) setInterval(draw, SECOND)
else requestAnimationFrame(drawEachFrame)
connect()
