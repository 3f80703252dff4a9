"""A model of the flush protocol over a hostile store. `python protocol.py [runs] [rule to break]`

The store may apply a write late, after newer ones; apply it and lose the answer; show it and forget it at its next crash;
apply a flush's writes in any order and only some of them. Workers crash anywhere, stall, own a partition several at once, and
evict windows. After every step a reader's answer for each hour must be right for the log up to the offset it names, and cover
all that was committed before the reader began; at the end, after one healthy worker has caught up, all hours must be right.
Rules that can be broken: above-progress one-place reuse-place all-segments no-through-test progress-first evict-mid write-unrisen flush-below moving-progress start-unwritten cut-by-record

A flush's segment can be too large for one point. It is then cut by hash into n parts, and the key names the part: any
writer's part k of n that ends at an offset holds at least what came since a committed progress. Cutting it at record
boundaries instead (`cut-by-record`) makes a part depend on its writer's earlier, uncommitted part, and a late write of it
replaces a fuller one.
"""
import itertools, random, sys

RUNS = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
BROKEN = sys.argv[2] if len(sys.argv) > 2 else ""
HOURS = range(3)
fresh = itertools.count(1)

class Store:
    def __init__(self):
        self.windows, self.progress_points, self.segments, self.raw = {}, {}, {}, {}
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
    def progress(self): return max(self.progress_points.values(), default=(-1, 0))

def committed(store, hour):
    """Progress, windows, progress again, until it stood still in between; then the highest value not above it."""
    while True:
        limit = store.progress()[0]; yield
        found = [v for (h, _), v in store.windows.items() if h == hour]; yield
        if store.progress()[0] == limit or BROKEN == "moving-progress": break
    if BROKEN == "above-progress": limit = 10**9
    return max((v for v in found if v[0] <= limit), default=(-1, 0, 0, 0))

def oracle(log, upto, hour):
    counted = duplicates = 0; users, ids = set(), set()
    for lines in log[:upto + 1]:
        for h, user, i in lines:
            if h != hour: continue
            if i is not None and (user, i) in ids: duplicates += 1; continue
            counted += 1; users.add(user)
            if i is not None: ids.add((user, i))
    return counted, duplicates, len(users)

class Window:
    def __init__(self, value, users, ids):
        self.through, self.counted, self.duplicates, _ = value
        self.users, self.ids = users, ids
        self.places, self.turn = [next(fresh), next(fresh)], 0

def worker(store, log):
    at, seq = store.progress(); yield
    windows, my_progress, end = {}, next(fresh), at
    def until_acknowledged(write):
        while not write(): yield
        if random.random() < .5: yield
    def commit():
        nonlocal my_progress
        if store.put(store.progress_points, my_progress, (end, seq)): return True
        my_progress = next(fresh); return False
    if at >= 0 and BROKEN != "start-unwritten": yield from until_acknowledged(commit)
    while True:
        end = min(at + random.randint(1, 4), len(log) - 1)
        if end <= at: yield "idle"; continue
        raw, touched, new, cuts = {}, set(), {}, []
        offset = at
        while offset < end:
            offset += 1
            for h, user, i in log[offset]:
                raw[seq] = (h, user, i); seq += 1
                if h not in windows:
                    value = yield from committed(store, h); yield
                    segments = [x for (hh, through, _), x in store.segments.items() if hh == h and (through <= value[0] or BROKEN == "all-segments")]
                    if BROKEN != "flush-below": end = max(end, value[0])
                    windows[h] = Window(value, set().union(*(a for a, _ in segments)), set().union(*(b for _, b in segments)))
                w = windows[h]; touched.add(h); users, ids = new.setdefault(h, (set(), set()))
                counts = offset > w.through or BROKEN == "no-through-test"
                duplicate = i is not None and (user, i) in w.ids
                if counts and duplicate: w.duplicates += 1
                elif counts: w.counted += 1
                if not duplicate and user not in w.users: w.users.add(user); users.add(user)
                if i is not None and not duplicate: w.ids.add((user, i)); ids.add((user, i))
            if BROKEN == "cut-by-record":
                for h in [h for h in new if offset > windows[h].through and random.random() < .5]: cuts.append((h, offset, new.pop(h)))
                if BROKEN == "evict-mid" and random.random() < .05:
                    store.segments[h, offset, (0, 1)] = new.pop(h); store.windows[h, next(fresh)] = (offset, w.counted, w.duplicates, len(w.users))
                    del windows[h]; touched.discard(h)
        writes = [lambda k=k, v=v: store.put(store.raw, k, v) for k, v in raw.items()]
        def window_write(h):
            w = windows[h]; value = (max(w.through, end), w.counted, w.duplicates, len(w.users))
            def write():
                if store.put(store.windows, (h, w.places[w.turn]), value): return True
                if BROKEN != "reuse-place": w.places[w.turn] = next(fresh)
                return False
            return write
        rising = [h for h in touched if end > windows[h].through or BROKEN == "write-unrisen"]
        parts = [((h, o, (0, 1)), cut) for h, o, cut in cuts if h in rising]
        for h in rising:
            n, (users, ids) = random.choice((1, 2, 4)), new.get(h, (set(), set()))
            parts += [((h, end, (k, n)), ({u for u in users if u % n == k}, {x for x in ids if x[0] % n == k})) for k in range(n)]
        writes += [lambda k=k, v=v: store.put(store.segments, k, v) for k, v in parts if any(v)]
        writes += [window_write(h) for h in rising]
        random.shuffle(writes)
        for write in ([commit] + writes if BROKEN == "progress-first" else writes + [commit]):
            yield from until_acknowledged(write)
        for h in rising:
            windows[h].through = max(end, windows[h].through)
            if BROKEN != "one-place": windows[h].turn ^= 1
        at = end
        if windows and random.random() < .3: windows.pop(random.choice(list(windows)))
        yield

def exhaust(generator):
    while True:
        try: next(generator)
        except StopIteration as done: return done.value

def run(seed):
    global hostile
    random.seed(seed); hostile = True; store, log, workers, readers = Store(), [], [], []
    def produce(): log.append([(random.choice(HOURS), random.randint(0, 4), random.choice([None, 0, 1, 2])) for _ in range(random.randint(0, 3))])
    for _ in range(3): produce()
    for _ in range(random.randint(60, 300)):
        r = random.random()
        if r < .15: produce()
        elif r < .22 or not workers: workers.append(worker(store, log))
        elif r < .26: workers.remove(random.choice(workers))
        elif r < .29: store.crash()
        elif r < .34: store.deliver_late()
        else: next(random.choice(workers))
        for h in HOURS:
            before = store.progress()[0]; value = exhaust(committed(store, h))
            assert value[1:] == oracle(log, value[0], h), ("wrong for its offset", h, value, oracle(log, value[0], h))
            assert not any(hh == h for lines in log[value[0] + 1:before + 1] for hh, _, _ in lines), ("stale", h, value, before)
    while store.late: store.deliver_late()
    store.crash(); hostile = False; healthy = worker(store, log)
    for _ in range(5000):
        if next(healthy) == "idle" and store.progress()[0] == len(log) - 1: break
    for h in HOURS:
        assert exhaust(committed(store, h))[1:] == oracle(log, len(log) - 1, h), ("wrong at the end", h)
    assert len(store.raw) == sum(map(len, log)), "raw"

wrong = []
for seed in range(RUNS):
    try: run(seed)
    except AssertionError as e: wrong.append((seed, e.args[0]))
print(f"{BROKEN or 'all rules kept'}: {RUNS} runs, {len(wrong)} wrong", wrong[:1])
sys.exit(bool(wrong) != bool(BROKEN))
