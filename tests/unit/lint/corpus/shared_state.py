from collections import defaultdict

from flowstrand import WorkflowContext, workflow

COUNT = 0
SEEN: dict[str, int] = {}
NAMES = []
BY_KEY = defaultdict(list)
LIMIT = 3


@workflow
async def changes_globals(ctx: WorkflowContext, key: str) -> int:
    global COUNT, LATEST
    COUNT += 1  # expect: FS107
    LATEST = key  # expect: FS107
    SEEN[key] = COUNT  # expect: FS107
    SEEN[key] += 1  # expect: FS107
    del SEEN[key]  # expect: FS107
    NAMES.append(key)  # expect: FS107
    BY_KEY.setdefault(key, [])  # expect: FS107
    return COUNT


@workflow
async def changes_its_own(ctx: WorkflowContext, key: str) -> int:
    SEEN = {}
    SEEN[key] = 1
    names = list(NAMES)
    names.append(key)
    count = LIMIT

    def more() -> None:
        nonlocal count
        count += 1
        SEEN[key] += 1

    more()
    return count + BY_KEY.get(key, 0)


def outside() -> None:
    global COUNT
    COUNT += 1
    SEEN.clear()
