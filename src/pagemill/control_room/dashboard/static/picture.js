// Converts the API's answers for the pages. The only file that knows the names of the answers' fields.

const ROLES = ["python", "driver", "browser", "renderers", "gpu", "utility", "other"];
export const VERDICTS = ["ok", "changed", "sold_out", "off_sale", "gone", "blocked", "failed"];
/** Verdicts that say nothing about the product. */
const BAD = ["blocked", "failed"];

/** Roles in stacking order, from the bottom. */
export function rolesOf(points) {
  const there = new Set(points.flatMap((point) => Object.keys(point.memory)));
  return [...ROLES.filter((role) => there.has(role)), ...[...there].filter((role) => !ROLES.includes(role)).sort()];
}

const sum = (values) => Object.values(values || {}).reduce((total, value) => total + value, 0);
const total = (parts, name) => parts.reduce((before, each) => before + each[name], 0);
const date = (text) => new Date(text);

/** The data of the whole page, from `GET /api/performance/dashboard?history=false`. */
export function pictureOf(told) {
  const workers = told.workers.map(worker);
  const alive = workers.filter((each) => each.alive);
  const platforms = told.platforms.map(platform);
  return {
    at: date(told.current.timestamp),
    health: { word: told.status, reason: told.statusMessage },
    itemsPerS: told.current.requestsPerSecond,
    errorRate: told.current.errorRate,
    memoryMb: total(alive, "memoryMb"),
    limitMb: total(alive, "limitMb"),
    lanes: total(alive, "lanes"),
    size: total(alive, "size"),
    waiting: total(platforms, "waiting"),
    atWork: total(platforms, "atWork"),
    workers,
    alive,
    processes: told.processes.map(process),
    platforms,
    alerts: told.alerts.map(alert),
    events: told.events.map(event),
    trend: { word: told.trends.memoryTrend, change: told.trends.memoryChange },
    recommendations: told.recommendations,
  };
}

function worker(told) {
  return {
    name: told.name,
    alive: told.alive,
    silentS: told.silentSeconds,
    draining: told.draining,
    pressure: told.pressure,
    reason: told.pressureReason,
    memoryMb: told.memoryMb,
    peakMb: told.peakMemoryMb,
    limitMb: told.memoryLimitMb,
    memoryPercent: told.memoryPercent,
    lanes: told.placesTaken,
    size: told.places,
    batches: told.batches,
    cpuPercent: told.cpuPercent,
    itemsPerS: told.requestsPerSecond,
    rotations: told.rotations,
  };
}

function process(told) {
  return {
    name: told.name,
    role: told.role,
    alive: told.alive,
    silentS: told.silentSeconds,
    uptimeS: told.uptime,
    rssMb: told.rssMb,
    pssMb: told.pssMb,
    cpuPercent: told.cpuPercent,
    files: told.descriptors,
    leads: told.leads,
  };
}

function platform(told) {
  return {
    name: told.name,
    waiting: told.waiting,
    atWork: told.atWork,
    failed: told.failed,
    verdicts: told.verdicts,
    products: sum(told.verdicts),
    good: VERDICTS.filter((verdict) => !BAD.includes(verdict)).reduce((before, verdict) => before + (told.verdicts[verdict] || 0), 0),
    waitS: told.visited ? told.waitSeconds / told.visited : 0,
    pausedS: told.pace.pausedSeconds,
    why: told.pace.why,
    openS: told.pace.openSeconds,
    trying: told.pace.trying,
    slow: told.pace.slowdown,
  };
}

function alert(told) {
  return {
    id: told.id,
    at: date(told.timestamp),
    level: told.level,
    isGrave: told.level === "critical" || told.level === "emergency",
    name: told.name,
    message: told.message,
    about: told.scope || told.worker,
  };
}

function event(told) {
  return {
    id: told.id,
    at: date(told.timestamp),
    worker: told.worker,
    event: told.event,
    level: told.level,
    facts: told.facts,
  };
}

/** Points over time, from `GET /api/performance/metrics/history`. */
export function historyOf(told) {
  return told.points.map((point) => ({
    at: date(point.timestamp),
    memory: point.memoryByRoleMb,
    totalMb: point.memoryMb,
    itemsPerS: point.requestsPerSecond,
    lanes: point.lanes,
    measures: point.measures,
  }));
}

/** What a point's `measures` may have, each with name, meaning and unit; from the same answer. */
export const measuresOf = (told) => told.measures;

/** The events of a period, from `GET /api/performance/events`. */
export const eventsOf = (told) => told.events.map(event);
