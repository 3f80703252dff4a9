"""The flush protocol of protocol.py over Cassandra, as stores/cassandra uses it. `python cassandra.py [runs] [rule to break]`

Three replicas hold each row, with its write time. A write goes to all of them: each may take it now, later (a hint, or a slow
network, perhaps after newer ones), never, or take it and lose the answer. It is acknowledged once two have answered. A read asks
two; of each row the latest write time wins, of equal ones the larger value, and what one of the two lacked is written back to it
before the answer is given (read repair). One replica at a time may be down: it misses writes, gets hints for some of them when it
comes back, and goes on with what it had. The power may fail for all of them at once. Each worker is a process with a clock of its
own, that is wrong and may be set back; only within a process do write times rise.

What makes it right, beside the rules of protocol.py:
  windows    a row is written by one process only (slots are random): its own times order its writes
  segments   each process appends to chunks of its own; what several stored of a window is united
  progress   one row, whose write time is its offset: the highest wins, whoever writes it, and whenever it arrives
  manifests  a row is written by one rebuild only, and never changes
Rules that can be broken, beside those of protocol.py: one (a write or a read asks one replica), server-times (the replica that
coordinates a write gives its time), progress-by-clock (progress has its writer's time), periodic (a replica answers before its
commit log is on disk, and the power fails), unrepaired (a replica is replaced by an empty one, and serves reads at once).
"""
import itertools, pathlib, random, sys

RUNS = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
BROKEN = sys.argv[2] if len(sys.argv) > 2 else ""
TABLES = ("windows", "segments", "raw", "runs", "progress_points", "manifests")
REPLICAS = range(3)
QUORUM = 1 if BROKEN == "one" else 2

# Its world and its workers are the same; only what they write to is another.
protocol = {"__name__": "protocol"}
exec(pathlib.Path(__file__).with_name("protocol.py").read_text().partition("\nwrong = []")[0], protocol)

def later(a, b):
    if a[0] != b[0]: return a if a[0] > b[0] else b
    return max(a, b, key=repr)

class Replica:
    def __init__(self):
        self.tables, self.disk = {t: {} for t in TABLES}, {t: {} for t in TABLES}
        self.unsynced, self.up, self.clock = [], True, random.randint(-50, 50)
        self.changes = dict.fromkeys(TABLES, 0)
    def take(self, table, key, cell, synced=True):
        # The commit log takes every write, whichever cell a read is answered with.
        if synced: self._keep(table, key, cell)
        else: self.unsynced.append((table, key, cell))
        old = self.tables[table].get(key)
        if old is not None and later(old, cell) == old: return
        self.tables[table][key] = cell; self.changes[table] += 1
    def _keep(self, table, key, cell):
        old = self.disk[table].get(key)
        self.disk[table][key] = cell if old is None else later(old, cell)
    def power_loss(self, chance):
        lost = {(table, key) for table, key, _ in self.unsynced}
        for table, key, cell in self.unsynced:
            if random.random() >= chance: self._keep(table, key, cell)
        for table, key in lost:
            kept = self.disk[table].get(key)
            if self.tables[table].get(key) == kept: continue
            self.changes[table] += 1
            if kept is None: del self.tables[table][key]
            else: self.tables[table][key] = kept
        self.unsynced.clear()

class Cluster:
    def __init__(self):
        self.replicas, self.late, self.now = [Replica() for _ in REPLICAS], [], 0
        self.answers = {}  # of earlier reads: while neither replica changes, a read of the two is the same
    def write(self, table, key, cell):
        """True: a quorum has acknowledged. False: unknown outcome."""
        hostile, answers = protocol["hostile"], 0
        for replica in self.replicas:
            fate = random.random() if hostile else 1
            if not replica.up or fate < .06:
                if random.random() < .7: self.late.append((replica, table, key, cell))
                continue
            if fate < .09: self.late.append((replica, table, key, cell))
            # Who has not answered may have it in memory only; with a periodic commit log, who has answered, too.
            lost = .09 <= fate < .14
            replica.take(table, key, cell, synced=not lost and BROKEN != "periodic" or not hostile)
            answers += fate >= .14
        return answers >= QUORUM
    def read(self, table):
        asked = [one for one in self.replicas if one.up]
        while len(asked) > QUORUM: asked.pop(int(random.random() * len(asked)))
        whom, state = (table, *map(id, asked)), [one.changes[table] for one in asked]
        if self.answers.get(whom, (None, None))[0] == state: return self.answers[whom][1]
        first, *others = [one.tables[table] for one in asked]
        for other in others:
            if first == other: continue
            for key in first.keys() | other.keys():
                a, b = first.get(key), other.get(key)
                if a is not b:
                    cell = later(a, b) if a and b else a or b
                    for one in asked: one.take(table, key, cell)
        self.answers[whom] = [one.changes[table] for one in asked], seen(table, first)
        return self.answers[whom][1]
    def deliver_late(self):
        if not self.late: return
        replica, *write = self.late.pop(random.randrange(len(self.late)))
        if replica.up: replica.take(*write)
        elif random.random() < .5: self.late.append((replica, *write))
    def trouble(self):
        """A replica goes down, one comes back with what it had, the power fails, or a disk is lost."""
        fate = random.random()
        for one in self.replicas:
            if not one.up: one.up = True; return
        if fate < .6: random.choice(self.replicas).up = False
        elif fate < .9 or BROKEN != "unrepaired":
            for one in self.replicas: one.power_loss(.7)
        else: self.replicas[random.randrange(3)] = Replica()

def seen(table, cells):
    """Cells as a process sees them: of segments, what several processes stored is united."""
    if table != "segments": return {key: value for key, (_, value) in cells.items()}
    united = {}
    for (key, _), (_, (users, ids)) in cells.items():
        a, b = united.get(key, (frozenset(), frozenset())); united[key] = a | users, b | ids
    return united

class Table:
    """A table as one process sees it: each look at it is a read of its own."""
    def __init__(self, store, name): self.store, self.name = store, name
    def _read(self): return self.store.cluster.read(self.name)
    def items(self): return self._read().items()
    def values(self): return self._read().values()
    def keys(self): self.seen = self._read(); return self.seen.keys()  # dict(table) is one read
    def get(self, key): return self._read().get(key)
    def __getitem__(self, key): return self.seen[key]
    def __iter__(self): return iter(self._read())
    def __len__(self): return len(self._read())
    def __setitem__(self, key, value):
        """A fault from outside: it reaches all replicas, and all that is stored under the key."""
        for replica in self.store.cluster.replicas:
            if self.name == "manifests": replica.take(self.name, key, (0, value))
            for stored, cell in list(replica.tables[self.name].items()):
                if stored == key or self.name == "segments" and stored[0] == key:
                    replica.tables[self.name][stored] = replica.disk[self.name][stored] = cell[0], value
                    replica.changes[self.name] += 1

class Process:
    """A client of Cassandra: with a clock and with chunks of its own."""
    numbers = itertools.count(1)
    def __init__(self, cluster):
        self.cluster, self.number, self.skew, self.last = cluster, next(Process.numbers), random.randint(-50, 50), 0
        self.windows, self.segments, self.raw, self.runs, self.progress_points, self.manifests = (Table(self, name) for name in TABLES)
    late = property(lambda self: self.cluster.late)
    def deliver_late(self): self.cluster.deliver_late()
    def crash(self): self.cluster.trouble()
    def progress(self): return max(self.progress_points.values(), default=(-1, 0, -1))
    def time(self):
        """The clock may be set back: then the driver counts on from its last time."""
        self.cluster.now += 1
        if random.random() < .01: self.skew -= random.randint(0, 100)
        if BROKEN == "server-times": return self.cluster.now + random.choice(self.cluster.replicas).clock
        self.last = max(self.last + 1, self.cluster.now + self.skew); return self.last
    def put(self, table, key, value):
        time = self.time()
        if table.name == "segments": key, value = (key, self.number), tuple(map(frozenset, value))
        if table.name == "progress_points":
            key = "progress"
            if BROKEN not in ("progress-by-clock", "server-times"): time = value[0] + 2
        return self.cluster.write(table.name, key, (time, value))

def store():
    """The store that the world is made with: whoever only looks."""
    return Process(Cluster())

def of_a_process(run): return lambda one, log, answers: run(Process(one.cluster), log, answers)
protocol["Store"] = store
protocol["worker"] = of_a_process(protocol["worker"])
_rebuild = protocol["rebuild"]
protocol["rebuild"] = lambda world, one, log, hours: _rebuild(world, Process(one.cluster), log, hours)

wrong = []
for seed in range(RUNS):
    try: protocol["run"](seed)
    except AssertionError as e: wrong.append((seed, e.args[0]))
print(f"Cassandra, {BROKEN or 'all rules kept'}: {RUNS} runs, {len(wrong)} wrong", wrong[:1])
sys.exit(bool(wrong) != bool(BROKEN))
