"""A model of the flush protocol over a hostile store. `python protocol.py [runs] [rule to break]`

The store may apply a write late, after newer ones; apply it and lose the answer; show it and forget it at its next crash;
apply a flush's writes in any order (segments before values) and only some of them. Workers crash anywhere, stall, own a partition several at once, and
evict windows. After every step a reader's answer for each hour must be right for the log up to the offset it names, and cover
all that was committed before the reader began; at the end, after one healthy worker has caught up, all hours must be right.
Rules that can be broken: above-progress one-slot reuse-slot all-segments no-through-test progress-first evict-mid write-unrisen flush-below moving-progress limit-after start-unwritten cut-by-record rebuild-untold rebuild-no-delta rebuild-unacknowledged rebuild-value-first any-generation compact-unacknowledged compact-named-early compact-named-late compact-in-turn newest-full segments-any-order read-uncommitted pass-unasked pass-open pass-stale manifest-unread manifest-late manifest-unacknowledged manifest-by-id manifest-anywhere manifest-cached manifest-away manifest-replayed run-by-start
Some show in one of thousands of runs only; write-unrisen, flush-below and compact-in-turn did not in 12,000: the workers' unit tests
have them, and compact-in-turn shows where there is one hour, few workers and much compaction.

A flush's segment can be too large for one point. It is then cut by hash into n parts, and the key names the part: any
writer's part k of n that ends at an offset holds at least what came since a committed progress. Cutting it at record
boundaries instead (`cut-by-record`) makes a part depend on its writer's earlier, uncommitted part, and a late write of it
replaces a fuller one.

An hour's stored values may be wrong (a fault, a backup restored): `corrupt`. A rebuild recounts it from the log through some
offset, stores its segments and then its value under a generation of their own, each once the former are acknowledged: such a
value is right, so anyone may use it at once. Then it appends a record to the log that says so. Whoever folds past that record takes the rebuilt hours from the store, adds what the log has between
the two offsets, and writes them anew. A worker may also have loaded such a value before that record, while another one, who holds
the former value, commits the same offsets: then the progress of either covers the other's value, but not its segments, which have
another generation. So a flush's segments are acknowledged before its values are written. Between corruption and the commit of a rebuild that began after it, that hour's answers
are not judged.

Whoever may write the log may append records that say they are rebuilds: made up, a real one's with other hours or offsets, copies of
real ones, those of another partition, or a real one that is not there yet (by somebody who reads the store). So a rebuild stores a manifest, what it recounted, and its record
names it; a record takes effect only if the store has that manifest for this partition and it says the same, and if it counted the
last rebuild before it that took effect: else a copy of an earlier one would undo what a later one put right. The offset of that one is a part
of progress. A manifest's id cannot be guessed, and the manifest is acknowledged before the record is appended: so the store, if it answers, answers the
same to all who come to the record. Not to answer is no answer.

Many small segments are slow to load. So a worker may compact a window, which may still grow: as it takes a flush, it takes all
users and ids of one window up to the same offset too; between later flushes it stores these as the parts of a full segment, under
that offset; once all parts are acknowledged, the window's values say that a load needs the full segment of that offset, and only
those small ones that came after it. The next flush writes such a value, or the worker does at once, in the window's other slot.
Small segments stay: whoever holds an older value finds them. After every step the users and ids that a value which was ever
committed leads to must be those of the log up to its offset, not only their number.

Raw lines are stored one by one, or packed: an hour's lines that follow on one another as one value. Two writers cut them
otherwise, and a late write may hold fewer than another one of the same start. So how many there are is a part of the key: a value is a
function of its key and the log, and replaces nothing but the same.

Producers may use transactions. Their records count once they are committed, and never if they are aborted; the end of a transaction
takes an offset of its own (a marker). Workers read committed: what lies at or beyond the first record of an open transaction is not
given to anyone yet, so a record's fate is known before any value covers its offset. Offsets at the log's end that hold no committed
record would keep progress below them for ever. So a worker to whom nothing comes asks whether the log holds a committed record from
its next offset up to where all transactions are decided. If there is none, that stays so, whoever asked and when: whoever has
counted exactly up to there moves on over these offsets, with an empty flush or with its next one.
"""
import itertools, random, sys

RUNS = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
BROKEN = sys.argv[2] if len(sys.argv) > 2 else ""
HOURS = range(3)
fresh = itertools.count(1)

class Store:
    def __init__(self):
        self.windows, self.progress_points, self.segments, self.raw, self.runs, self.manifests = {}, {}, {}, {}, {}, {}
        self.late, self.volatile = [], []
    def put(self, table, key, value):
        """True: acknowledged. False: unknown outcome."""
        fate = random.random() if hostile else 1
        if fate < .05: self.late.append((table, key, value)); return False
        old = table.get(key); table[key] = value
        if fate < .10: self.volatile.append((table, key, value, old)); return False
        if fate < .15: return False
        self.volatile = [x for x in self.volatile if x[0] is not table or x[1] != key]
        return True
    def deliver_late(self):
        if self.late: t, k, v = self.late.pop(random.randrange(len(self.late))); t[k] = v
    def crash(self):
        for t, k, v, old in reversed(self.volatile):
            if t.get(k) is v and random.random() < .7:
                if old is None: del t[k]
                else: t[k] = old
        self.volatile.clear()
    def progress(self): return max(self.progress_points.values(), default=(-1, 0, -1))

def packed(raw):
    """An hour's lines that follow on one another as one value, cut anywhere; by the hour, the first one's number and how many."""
    for h in {h for h, _, _ in raw.values()}:
        lines = [(seq, line) for seq, line in raw.items() if line[0] == h]
        while lines:
            run, lines = lines[:(n := random.randint(1, 4))], lines[n:]
            yield (h, run[0][0]) if BROKEN == "run-by-start" else (h, run[0][0], len(run)), tuple(run)

def committed(store, hour):
    """A progress, and an hour's committed value that is complete up to there; it may hold more. Slots are read one by one, between two
    looks at progress. A value that was committed at the first one is still there, unless a newer one has been committed since and a
    third has overwritten it, which lies above the first progress. So where no value does, or progress stood still, the highest
    committed one is complete up to there; so is one committed by the second that does not lie below the first. Else all is read again."""
    limit = store.progress()[0]
    while True:
        yield
        found, keys = [], [key for key in store.windows.keys() if key[0] == hour]
        for key in random.sample(keys, len(keys)):
            found += [v for v in [store.windows.get(key)] if v is not None]; yield
        after = 10**9 if BROKEN == "above-progress" else store.progress()[0]
        usable = [v for v in found if v[0] <= (limit if BROKEN == "moving-progress" else after)]
        best = max(usable, key=lambda v: (v[0], *v[4:]), default=(-1, 0, 0, 0, 0, -1))
        if after == limit or BROKEN in ("moving-progress", "above-progress", "limit-after"): return limit, best
        if after > limit and (best[0] >= limit or all(v[0] <= limit for v in found)): return limit, best
        limit = after

def hashes_of(store, h, value):
    """Users and ids that a value leads to: those of its full segment, and of the small ones between its offset and the value's."""
    of_hour = [(key, x) for key, x in store.segments.items() if key[0] == h and (key[1] == value[4] or BROKEN == "any-generation")]
    since = value[5]
    if BROKEN == "newest-full": since = max((key[2] for key, _ in of_hour if key[4] == "full"), default=-1)
    belonging = [x for (_, _, through, _, kind), x in of_hour
                 if (through == since if kind == "full" else since < through and (through <= value[0] or BROKEN == "all-segments"))]
    return set().union(*(a for a, _ in belonging)), set().union(*(b for _, b in belonging))

class Transactional(list):
    """A record of a transaction, or the marker at its end: counted once it is committed."""
    fate = "open"

def shown(record): return getattr(record, "fate", "committed") == "committed"
def given(record): return BROKEN == "read-uncommitted" or shown(record)

def stable(log):
    """Up to, not including, this offset each transaction is decided."""
    return next((offset for offset, record in enumerate(log) if getattr(record, "fate", "") == "open" and BROKEN != "read-uncommitted"), len(log))

class Rebuild:
    """A record of the log: these hours were recounted through this offset, under this generation; or it only says so."""
    def __init__(self, hours, through): self.id, self.generation, self.hours, self.through, self.heals = next(fresh), next(fresh), hours, through, set(hours)
    def says(self): return tuple(self.hours), self.through, self.generation
    def forged(self, **other): copy = Rebuild(self.hours, self.through); copy.__dict__.update(self.__dict__, heals=set(), **other); return copy
    def __iter__(self): return iter(())
    def __len__(self): return 0

def recount(log, upto, hour):
    counted = duplicates = 0; users, ids = set(), set()
    for lines in log[:upto + 1]:
        for h, user, i in lines if shown(lines) else ():
            if h != hour: continue
            if i is not None and (user, i) in ids: duplicates += 1; continue
            counted += 1; users.add(user)
            if i is not None: ids.add((user, i))
    return counted, duplicates, users, ids

def oracle(log, upto, hour):
    counted, duplicates, users, _ = recount(log, upto, hour)
    return counted, duplicates, len(users)

def rebuild(world, store, log, hours):
    record = Rebuild(hours, stable(log) - 1); world.rebuilds.append(record)
    values, segments = [], []
    for h in hours:
        counted, duplicates, users, ids = recount(log, record.through, h); n = random.choice((1, 2))
        values.append((store.windows, (h, next(fresh)), (record.through, counted, duplicates, len(users), record.generation, -1)))
        for k in range(n):
            segments.append((store.segments, (h, record.generation, record.through, (k, n), "new"), ({u for u in users if u % n == k}, {x for x in ids if x[0] % n == k})))
    random.shuffle(values); random.shuffle(segments)
    for write in values + segments if BROKEN == "rebuild-value-first" else segments + values:
        while not store.put(*write) and BROKEN != "rebuild-unacknowledged": yield
        if random.random() < .5: yield
    for turn in range(9 if BROKEN == "manifest-late" else 0):
        if turn == 0: log.append(record)
        yield
    while not store.put(store.manifests, (0, record.id), record.says()) and BROKEN != "manifest-unacknowledged": yield
    world.authorized[0, record.id] = record.says()
    if random.random() < .7: yield
    if BROKEN != "manifest-late": log.append(record)

def forge(world, store, log):
    """What somebody appends who may write the log and not the store."""
    forged = Rebuild(random.sample(HOURS, random.randint(1, len(HOURS))), random.randrange(len(log) + 1))
    known = [r for r in log if isinstance(r, Rebuild)] + [r for r in world.rebuilds if (0, r.id) in world.authorized]
    if known and random.random() < .8:
        real = random.choice(known)
        forged = real.forged(**random.choice(({}, {}, {"through": forged.through}, {"hours": forged.hours}, {"generation": forged.generation}, {"id": forged.id})))
    elif random.random() < .5:
        # Of another partition, whose offsets are others.
        store.manifests[1, forged.id] = forged.says()
    log.append(forged)

class Window:
    def value(self, end): return max(self.through, end), self.counted, self.duplicates, len(self.users), self.generation, self.since
    def __init__(self, value, users, ids):
        self.through, self.counted, self.duplicates, _, self.generation, self.since = value
        self.users, self.ids = users, ids
        self.slots, self.turn = [next(fresh), next(fresh)], 0

def fold(w, new, offset, user, i):
    users, ids = new
    counts = offset > w.through or BROKEN == "no-through-test"
    duplicate = i is not None and (user, i) in w.ids
    if counts and duplicate: w.duplicates += 1
    elif counts: w.counted += 1
    if not duplicate and user not in w.users: w.users.add(user); users.add(user)
    if i is not None and not duplicate: w.ids.add((user, i)); ids.add((user, i))

def worker(store, log, answers):
    def load(h, value): return Window(value, *hashes_of(store, h, value))
    at, seq, rebuilt = store.progress(); yield
    windows, my_progress, end, compaction, manifests = {}, next(fresh), at, None, dict(store.manifests)
    def takes_effect(offset, record):
        while random.random() < .1 and hostile:
            if BROKEN == "manifest-away": return False
            yield
        known = manifests if BROKEN == "manifest-cached" else store.manifests
        says = {key[1]: value for key, value in known.items()}.get(record.id) if BROKEN == "manifest-anywhere" else known.get((0, record.id)); yield
        if BROKEN == "manifest-unread": return record.through < offset
        if says is None or (says != record.says() and BROKEN != "manifest-by-id"): return False
        return (record.through >= rebuilt or BROKEN == "manifest-replayed") and (record.through < offset)
    def until_acknowledged(write):
        while not write(): yield
        if random.random() < .5: yield
    def commit():
        nonlocal my_progress
        if store.put(store.progress_points, my_progress, (end, seq, rebuilt)): return True
        my_progress = next(fresh); return False
    if at >= 0 and BROKEN != "start-unwritten": yield from until_acknowledged(commit)
    def window_write(h, value):
        w = windows[h]
        def write():
            if store.put(store.windows, (h, w.slots[w.turn]), value): return True
            if BROKEN != "reuse-slot": w.slots[w.turn] = next(fresh)
            return False
        return write
    def cut(h, through, users, ids, kind, n):
        return [((h, windows[h].generation, through, (k, n), kind), ({u for u in users if u % n == k}, {x for x in ids if x[0] % n == k})) for k in range(n)]
    while True:
        if compaction and windows.get(compaction[0]) is not compaction[1]: compaction = None
        if compaction and random.random() < .6:
            h, w, through, parts = compaction; key, x = parts.pop()
            if BROKEN == "compact-named-late": key = (*key[:2], w.through, *key[3:])
            if BROKEN == "compact-unacknowledged": store.put(store.segments, key, x)
            else: yield from until_acknowledged(lambda: store.put(store.segments, key, x))
            if not parts or BROKEN == "compact-named-early": w.since = key[2]
            if not parts:
                compaction = None
                if random.random() < .5:
                    yield from until_acknowledged(window_write(h, w.value(w.through))); w.turn ^= 1
                    # No progress is committed for it: what stands in the other slot may be all that a reader under way has seen as committed.
                    if BROKEN != "compact-in-turn": w.slots[w.turn] = next(fresh)
        coming = [o for o in range(at + 1, stable(log)) if given(log[o])]
        passing = [beyond - 1 for first, beyond in answers if first == at + 1 or BROKEN == "pass-stale"]
        if passing and random.random() < .5: end = passing[-1]
        elif coming:
            end, passing = coming[:random.randint(1, 4)][-1], []
            end = next((beyond - 1 for first, beyond in answers if first == end + 1 and random.random() < .5), end)
        else:
            beyond = len(log) if BROKEN == "pass-open" else stable(log)
            if beyond > at + 1: answers.append((at + 1, beyond))
            yield "idle"; continue
        if coming and BROKEN == "pass-unasked": answers.append((at + 1, stable(log)))
        raw, touched, new, cuts = {}, set(), {}, []
        offset = end if passing else at
        while offset < end:
            offset += 1
            record = log[offset] if given(log[offset]) else ()
            if isinstance(record, Rebuild) and BROKEN != "rebuild-untold" and (yield from takes_effect(offset, record)):
                rebuilt = offset
                for h in record.hours:
                    value = next((v for (hh, _), v in store.windows.items() if hh == h and v[4] == record.generation and v[0] == record.through), (-1, 0, 0, 0, record.generation, -1)); yield
                    windows[h] = load(h, value); touched.add(h); new[h] = (set(), set())
                    cuts[:] = [cut for cut in cuts if cut[0] != h]
                for later in range(record.through + 1, 0 if BROKEN == "rebuild-no-delta" else offset):
                    for h, user, i in log[later] if given(log[later]) else ():
                        if h in record.hours: fold(windows[h], new[h], later, user, i)
            for h, user, i in record:
                raw[seq] = (h, user, i); seq += 1
                if h not in windows:
                    _, value = yield from committed(store, h); yield
                    if BROKEN != "flush-below": end = max(end, value[0])
                    windows[h] = load(h, value)
                touched.add(h); fold(windows[h], new.setdefault(h, (set(), set())), offset, user, i)
                if BROKEN == "evict-mid" and random.random() < .05:
                    w = windows[h]; store.segments[h, w.generation, offset, (0, 1), "new"] = new.pop(h); store.windows[h, next(fresh)] = w.value(offset)
                    del windows[h]; touched.discard(h)
            if BROKEN == "cut-by-record":
                for h in [h for h in new if offset > windows[h].through and random.random() < .5]: cuts.append((h, offset, new.pop(h)))
        writes = [lambda k=k, v=v: store.put(store.raw, k, v) for k, v in raw.items()]
        writes += [lambda k=k, v=v: store.put(store.runs, k, v) for k, v in packed(raw)]
        rising = [h for h in touched if end > windows[h].through or BROKEN == "write-unrisen"]
        parts = [((h, windows[h].generation, o, (0, 1), "new"), cut) for h, o, cut in cuts if h in rising]
        for h in rising:
            parts += cut(h, end, *new.get(h, (set(), set())), "new", random.choice((1, 2, 4)))
        writes += [lambda k=k, v=v: store.put(store.segments, k, v) for k, v in parts if any(v)]
        values = [window_write(h, windows[h].value(end)) for h in rising]
        if BROKEN == "segments-any-order": writes += values; values = []
        random.shuffle(writes); random.shuffle(values); writes += values
        if windows and not compaction and random.random() < .3:
            h = random.choice(list(windows)); w = windows[h]; through = max(end, w.through) if h in touched else w.through
            if through >= 0: compaction = h, w, through, cut(h, through, w.users, w.ids, "full", random.choice((1, 2, 4)))
        for write in ([commit] + writes if BROKEN == "progress-first" else writes + [commit]):
            yield from until_acknowledged(write)
        for h in rising:
            windows[h].through = max(end, windows[h].through)
            if BROKEN != "one-slot": windows[h].turn ^= 1
        at = end
        if windows and random.random() < .3: windows.pop(random.choice(list(windows)))
        yield

class World:
    """Which hours are wrong by a fault from outside, and the rebuilds that heal them."""
    def __init__(self): self.wrong, self.faults, self.rebuilds, self.authorized = set(), 0, [], {}
    def corrupt(self, store):
        h = random.choice(HOURS); self.wrong.add(h); self.faults += 1
        for record in self.rebuilds: record.heals.discard(h)
        for key, v in store.windows.items():
            if key[0] == h and random.random() < .7: store.windows[key] = (v[0], v[1] + 100, *v[2:])
        for key in store.segments:
            if key[0] == h and random.random() < .5: store.segments[key] = ({99}, {(99, 0)})
    def judges(self, h, log, committed):
        rebuilt = [record for record in self.in_effect(log[:committed + 1]) if h in record.hours]
        # Progress that was seen may be forgotten by the store: what it covered then is covered no longer.
        return h in rebuilt[-1].heals if rebuilt else h not in self.wrong
    def in_effect(self, log):
        """Rebuilds that took effect, by what is known of them apart from the store; of a copy, the one that it is a copy of."""
        last = -1
        for offset, record in enumerate(log):
            if not isinstance(record, Rebuild) or not last <= record.through < offset: continue
            if self.authorized.get((0, record.id)) != record.says(): continue
            last = offset; yield next(real for real in self.rebuilds if real.id == record.id)

def reader(store, log, world):
    """It reads hours while all else goes on."""
    while True:
        h, faults = random.choice(HOURS), world.faults
        limit, value = yield from committed(store, h)
        if world.faults == faults and world.judges(h, log, limit): judge(log, h, limit, value)

def judge(log, h, limit, value):
    assert value[1:4] == oracle(log, value[0], h), ("wrong for its offset", h, value, oracle(log, value[0], h))
    assert not any(hh == h for lines in log[value[0] + 1:limit + 1] if shown(lines) for hh, _, _ in lines), ("stale", h, value, limit)

def exhaust(generator):
    while True:
        try: next(generator)
        except StopIteration as done: return done.value

def step(generators, one):
    try: next(one)
    except StopIteration: generators.remove(one)

def run(seed):
    global hostile
    random.seed(seed); hostile = True; store, log, workers, world, rebuilding, answers, transactions = Store(), [], [], World(), [], [], []
    readers, reading = [reader(store, log, world) for _ in range(3)], random.choice((.5, .6))
    once_committed = {h: [] for h in HOURS}
    transactional = random.choice((0, 0, .05)); forging, rebuilt = random.choice((0, .02, .05)), random.choice((0, .2))
    def lines(): return [(random.choice(HOURS), random.randint(0, 4), random.choice([None, 0, 1, 2])) for _ in range(random.randint(0, 3))]
    def produce(): log.append(lines())
    def transact():
        if len(transactions) < 2 and random.random() < .3: transactions.append([])
        if not transactions: return
        mine = random.choice(transactions)
        if random.random() < .6: mine.append(Transactional(lines())); log.append(mine[-1])
        else: decide(mine)
    def decide(mine):
        transactions[:] = [one for one in transactions if one is not mine]; log.append(Transactional()); log[-1].fate = "marker"
        fate = random.choice(("committed", "aborted"))
        for record in mine: record.fate = fate
    for _ in range(3): produce()
    for _ in range(random.randint(60, 300) * (2 if rebuilt else 1)):
        r = random.random()
        if rebuilt and .16 < r < .25: r = 1
        if random.random() < transactional: transact()
        if r < .15: produce()
        elif r < .22 or not workers: workers.append(worker(store, log, answers))
        elif r < .26: workers.remove(random.choice(workers))
        elif r < .29: store.crash()
        elif r < .34: store.deliver_late()
        elif r < .345 + rebuilt / 20: world.corrupt(store)
        elif r < .36 + rebuilt / 8: rebuilding.append(rebuild(world, store, log, random.sample(HOURS, random.randint(1, len(HOURS)))))
        elif r < .36 + rebuilt / 8 + forging: forge(world, store, log)
        elif r < .41 + rebuilt and rebuilding: step(rebuilding, random.choice(rebuilding[:2]))
        elif r < reading: next(random.choice(readers))
        else: next(random.choice(workers))
        for h in HOURS:
            before, value = exhaust(committed(store, h))
            if not world.judges(h, log, before): once_committed[h] = []; continue
            judge(log, h, before, value)
            if value not in once_committed[h]: once_committed[h].append(value)
            for value in {once_committed[h][-1], random.choice(once_committed[h])}:
                assert hashes_of(store, h, value) == recount(log, value[0], h)[2:], ("users", h, value, hashes_of(store, h, value))
    while store.late: store.deliver_late()
    while transactions: decide(transactions[0])
    store.crash(); hostile = False; exhaust(rebuild(world, store, log, HOURS)) if not all(world.judges(h, log, len(log)) for h in HOURS) else None; healthy = worker(store, log, answers)
    for _ in range(5000):
        if next(healthy) == "idle" and store.progress()[0] == len(log) - 1: break
    for h in HOURS:
        assert exhaust(committed(store, h))[1][1:4] == oracle(log, len(log) - 1, h), ("wrong at the end", h)
    assert store.progress()[0] == len(log) - 1, "not complete"
    assert len(store.raw) == sum(map(len, filter(shown, log))), "raw"
    # Each line may be in several runs: it is the same in each, and whoever unites them by the lines' numbers has all.
    lines = {seq: line for run in store.runs.values() for seq, line in run}
    assert lines == dict(enumerate(line for record in log if shown(record) for line in record)), "packed"

wrong = []
for seed in range(RUNS):
    try: run(seed)
    except AssertionError as e: wrong.append((seed, e.args[0]))
print(f"{BROKEN or 'all rules kept'}: {RUNS} runs, {len(wrong)} wrong", wrong[:1])
sys.exit(bool(wrong) != bool(BROKEN))
