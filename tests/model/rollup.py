"""A model of who keeps the measurement `hours` right. `python rollup.py [runs] [rule to break]`

One point an hour, for those who query the store themselves. Its fields are overwritten in place, and the store has no
compare-and-set. Any number of keepers run; each may stall anywhere, die, and wake, so a write of any age may land over a newer
one. A write may be acknowledged (and be applied once more, later), land late, land in part (some fields now, the others late or
never), or be seen and then forgotten. What should stand comes from committed windows: workers store values and commit them
later; a value may be lower than the one before, as after a rebuild.

Nobody can keep a stale write out. So a keeper does not try: round after round it compares what stands with what should, field
by field, whoever wrote it, and writes where they differ. To do so for many hours at little cost it remembers what should stand
in a recent hour, with that hour's `mark`: a sum over all that is stored for it, committed or not. The mark is read before the
windows, and what is remembered counts as settled only if all that had been stored by then was committed when the windows were
read. While the mark stands still, so does what is settled. Marks may coincide, and old hours have none: so each round also
checks one hour anew, in turn, whatever is remembered of it.

Checked: once a keeper has ended a round that began after the last disturbance of a recent hour (a value, a commit, a late or a
forgotten write, another keeper's write), all fields that stand there are right, unless marks coincided; and once it has ended
one round more than there are hours, those of every hour are.
Rules that can be broken: trust-own-writes own-hours-only elected-only one-field never-lower mark-after-windows settle-at-once no-sweep sweep-what-is-unknown
"""
import random, sys

RUNS = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
BROKEN = sys.argv[2] if len(sys.argv) > 2 else ""
OLD, RECENT = (0, 1), (2, 3, 4)
HOURS = OLD + RECENT

class World:
    def __init__(self):
        self.end = self.committed = self.now = self.keepers = 0
        self.values = {h: {} for h in HOURS}      # slot: through, clicks, users
        self.over_at = {h: random.randint(0, 20) for h in HOURS}
        self.marks, self.unmarked = {h: 0 for h in HOURS}, set()
        self.points = {h: {} for h in HOURS}; self.late, self.volatile = [], []
        self.disturbed = {h: {} for h in HOURS}   # by whom: when
    def touch(self, h, by=None): self.now += 1; self.disturbed[h][by] = self.now
    def calm_since(self, h, keeper): return max((t for by, t in self.disturbed[h].items() if by != keeper), default=0)
    def highest(self, h): return max((v for v in self.values[h].values() if v[0] <= self.committed), default=(0, 0, 0))
    def flush(self):
        """A worker: stores values, and commits them later."""
        self.end += 1; through = self.end
        for h in random.sample(HOURS, random.randint(0, 3)):
            slot = random.choice([s for s in range(3) if self.values[h].get(s) != self.highest(h)])
            self.values[h][slot] = (through, random.randint(1, 4), random.randint(1, 4)); self.touch(h)
            if random.random() < .9: self.marks[h] += 1
            else: self.unmarked |= {(h, keeper) for keeper in range(self.keepers)}
            yield
        self.committed = max(self.committed, through)
        for h in HOURS: self.touch(h)
    def put(self, h, fields, keeper):
        """True: acknowledged."""
        fields, fate = dict(fields), random.random() if hostile else 1
        self.touch(h, keeper if fate >= .32 else None)
        if fate < .08: self.late.append((h, fields)); return False
        if fate < .18:
            later = {name: fields.pop(name) for name in list(fields) if random.random() < .5}
            if random.random() < .7: self.late.append((h, later))
        old = dict(self.points[h]); self.points[h].update(fields)
        if fate < .25: self.volatile.append((h, old)); return False
        self.volatile = [x for x in self.volatile if x[0] != h]
        if fate < .32: self.late.append((h, fields))
        return fate >= .25
    def deliver_late(self):
        if self.late: h, fields = self.late.pop(random.randrange(len(self.late))); self.points[h].update(fields); self.touch(h)
    def forget(self):
        for h, old in reversed(self.volatile): self.points[h] = old; self.touch(h)
        self.volatile.clear()

def differs(should, stands):
    """`through` only promises: an earlier instant is as true, of an hour that is over."""
    if BROKEN == "never-lower" and stands.get("clicks", 0) > should["clicks"]: return False
    if any(stands.get(name) != should[name] for name in (["clicks"] if BROKEN == "one-field" else ["clicks", "users", "final"])): return True
    through = stands.get("through", -1)
    return through > should["through"] or through < (0 if should["final"] else should["through"])

def keeper(world):
    number = world.keepers; world.keepers += 1
    remembered, turn, written = {}, random.randrange(5), {}
    while True:
        began = world.now
        stands = {h: dict(world.points[h]) for h in HOURS}; yield
        end = world.end; marks = {h: world.marks[h] for h in RECENT}; yield
        turn += 1; swept = HOURS[turn % len(HOURS)]
        due = {h for h in RECENT if h not in remembered or remembered[h][0] != marks[h] or not remembered[h][1]["final"]}
        if BROKEN != "no-sweep" and not (BROKEN == "sweep-what-is-unknown" and swept in remembered): due.add(swept)
        for h in sorted(due):
            through = world.committed; yield
            _, clicks, users = world.highest(h); settled = through >= end or BROKEN == "settle-at-once"
            if BROKEN == "mark-after-windows": yield; marks = {h: world.marks[h] for h in RECENT}
            remembered[h] = marks.get(h) if settled else None, {"clicks": clicks, "users": users, "through": through, "final": through >= world.over_at[h]}
        yield
        for h in sorted(due | remembered.keys() & set(RECENT)):
            should = remembered[h][1]
            if BROKEN == "elected-only" and number: continue
            if BROKEN == "own-hours-only" and stands[h] and h not in written: continue
            if BROKEN == "trust-own-writes" and written.get(h) == should: continue
            if differs(should, stands[h]):
                if world.put(h, should, number): written[h] = should
                yield
        yield began, number

def is_right(world, h):
    point, (_, clicks, users) = world.points[h], world.highest(h)
    return (point.get("clicks"), point.get("users"), point.get("final")) == (clicks, users, world.committed >= world.over_at[h]) and 0 <= point.get("through", -1) <= world.committed

def ended_round(one):
    while (found := next(one)) is None: pass
    return found

def judge(world, one):
    """Nothing else happens for a while: one keeper goes on from wherever it stands, the others sleep."""
    for done in range(len(HOURS) + 2):
        began, number = ended_round(one)
        for h in HOURS:
            if began >= world.calm_since(h, number) and h in RECENT and (h, number) not in world.unmarked: assert is_right(world, h), ("recent", h, world.points[h], world.highest(h), done)
            if done == len(HOURS) + 1:
                assert is_right(world, h), ("swept", h, world.points[h], world.highest(h)); world.unmarked.discard((h, number))

def run(seed):
    global hostile
    random.seed(seed); hostile = True; world = World(); keepers, flushes = [keeper(world)], []
    for _ in range(random.randint(40, 200)):
        r = random.random()
        if r < .06: flushes.append(world.flush())
        elif r < .20 and flushes:
            one = random.choice(flushes)
            if next(one, "done") == "done": flushes.remove(one)
        elif r < .23: keepers.append(keeper(world))
        elif r < .25 and len(keepers) > 1: keepers.remove(random.choice(keepers))
        elif r < .29: world.deliver_late()
        elif r < .31: world.forget()
        elif r < .34: hostile = False; judge(world, random.choice(keepers)); hostile = True
        else: next(random.choice(keepers))
    while world.late: world.deliver_late()
    world.forget(); hostile = False; judge(world, random.choice(keepers))

wrong = []
for seed in range(RUNS):
    try: run(seed)
    except AssertionError as e: wrong.append((seed, e.args[0]))
print(f"{BROKEN or 'all rules kept'}: {RUNS} runs, {len(wrong)} wrong", wrong[:1])
sys.exit(bool(wrong) != bool(BROKEN))
