"""What has to be so: assertions, the tests of a driver, their lines and their count."""
import sys
import time


def same(got, wanted, what):
    assert got == wanted, f'{what}: {got!r}, not {wanted!r}'


def expect(answer, status, error=None, reason=None):
    assert answer.status == status, f'{status} was expected: {answer}'
    if status != 204:
        same(answer.header('Cache-Control'), 'no-store', 'Cache-Control')
        same(answer.header('X-Content-Type-Options'), 'nosniff', 'X-Content-Type-Options')
    if error:
        same(answer.json['error'], error, 'error')
        same(answer.json['reason'], reason, 'reason')
    return answer


def check_all_served(load):
    answers = load.stop()
    bad = [str(a) for a in answers if a.status != 200]
    assert not bad, f'{len(bad)} of {len(answers)} were not served: {bad[0]}'
    assert len(answers) > 100, f'only {len(answers)} requests'


class Tally:
    passed = failed = 0


def summary():
    """The last line, and the exit status."""
    print(f'{Tally.passed} passed, {Tally.failed} failed', flush=True)
    return 1 if Tally.failed or not Tally.passed else 0


# ---- single comparisons, each with a line of its own

def check(what, got=True, wanted=True):
    good = got == wanted
    if good:
        Tally.passed += 1
        print(f'ok - {what}', flush=True)
    else:
        Tally.failed += 1
        print(f'not ok - {what}\n# got    {got!r:.2000}\n# wanted {wanted!r:.2000}', flush=True)
    return good


# ---- whole tests, which fail by an exception

tests = []


def test(name, title):
    """NAME is what the command line picks by; several may share it."""
    def add(function):
        tests.append((name, title, function))
        return function
    return add


def run(name, title, function, *arguments):
    try:
        function(*arguments)
    except Exception as error:  # whatever it is, the others are to be run
        Tally.failed += 1
        text = f'{type(error).__name__}: {error}'
        print(f'not ok - {name}: {title}', *text[:1500].splitlines(), sep='\n  # ', flush=True)
        return False
    Tally.passed += 1
    print(f'ok - {name}: {title}', flush=True)
    return True


def check_names(names, more=()):
    known = list(dict.fromkeys([*more, *(name for name, _, _ in tests)]))
    for name in names:
        if name not in known:
            sys.exit(f'there is no {name}; there are {" ".join(known)}')


def run_tests(names):
    """Those of the given names, or all."""
    for name, title, function in tests:
        if not names or name in names:
            began = time.monotonic()
            run(name, title, function)
            print(f'  # {time.monotonic() - began:.1f} s', flush=True)
