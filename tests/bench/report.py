"""What scripts/bench found, for people: a table in Markdown and a plot in SVG."""
import math
import platform
import re
from html import escape
from statistics import median


def machine():
    names = {}
    for line in open('/proc/cpuinfo', encoding='ascii', errors='replace'):
        key, _, value = line.partition(':')
        names.setdefault(key.strip(), []).append(value.strip())
    models = names.get('model name', ['?'])
    return f'{len(models)} x {models[0]}, Linux {platform.release().split("-")[0]}'


def by_name(result, name):
    for row in result['rows']:
        if row['name'] == name and 'failure' not in row:
            return row
    return None


# ---- table

HEAD = ('| | per second | p50 ms | p99 ms | program us | web server us | database us'
        ' | program and web in V | PSS MiB |\n|---|---|---|---|---|---|---|---|---|\n')


def table_row(row):
    if 'failure' in row:
        return f'| {row["name"]} | no result: {row["failure"]} | | | | | | | |\n'
    return (f'| {row["name"]} | {row["per_s"]:,.0f} | {row["p50_ms"]:.2f} | {row["p99_ms"]:.1f}'
            f' | {row["program_us"]:.0f} | {row["web_us"]:.0f} | {row["db_us"]:.0f}'
            f' | {row["cpu_v"]:.2f} | {row["pss_mib"] or "-":{".1f" if row["pss_mib"] else ""}} |\n')


OURS, LIMIT = 'login, 16 clients', 'limit program, 16 clients'
GOALS = [  # what, ours, theirs, measure, whether more is better, the bound
    ('CPU of program and web server, of the limit program\'s', OURS, LIMIT, 'cpu', 'at most', 1.25),
    ('logins a second, of the limit program\'s', OURS, LIMIT, 'per_s', 'at least', 0.85),
    ('p99, of the limit program\'s', OURS, LIMIT, 'p99_ms', 'at most', 1.5),
    ('CPU of the Express sample (full login), of ours', OURS,
     'Express sample, full login, 16 clients', '1/cpu', 'at least', 5),
    ('CPU of the tuned Express, of ours', OURS,
     'tuned Express, full login, 16 clients', '1/cpu', 'at least', 2.5),
    ('CPU of the Flask sample (look-up only), of ours', OURS,
     'Flask sample, look-up only, 16 clients', '1/cpu', 'at least', 10),
    ('logins a second, of the Express sample\'s', OURS,
     'Express sample, full login, 16 clients', 'per_s', 'at least', 4),
    ('CPU of mod_auth_openidc\'s gate, of ours on Apache', 'gate: provider as Bearer, Apache',
     'mod_auth_openidc: provider as Bearer, Apache', '1/cpu', None, None),
]


def ratio(ours, theirs, measure):
    """Of each round by itself, and then the median: what disturbed a round disturbed both."""
    def figure(sample):
        if measure in ('cpu', '1/cpu'):
            return sample['program_us'] + sample['web_us']
        return sample[measure]

    found = median(figure(a) / figure(b) for a, b in zip(ours['samples'], theirs['samples']))
    return 1 / found if measure == '1/cpu' else found


def comparison(result):
    text = '| | measured | goal | | the limit program in our place |\n|---|---|---|---|---|\n'
    limit = by_name(result, LIMIT)
    for what, ours, theirs, measure, word, bound in GOALS:
        a, b = by_name(result, ours), by_name(result, theirs)
        if not a or not b:
            text += f'| {what} | not measured | | | |\n'
            continue
        r = ratio(a, b, measure)
        limits = (f'{ratio(limit, b, measure):.2f}'
                  if limit and LIMIT not in (ours, theirs) and ours == OURS else '')
        met = r <= bound if word == 'at most' else r >= bound if word else None
        text += (f'| {what} | {r:.2f} | {f"{word} {bound}" if word else ""}'
                 f' | {"met" if met else "" if met is None else "**missed**"} | {limits} |\n')
    return text


def flood(result):
    text = ('| 2,000 bad tokens a second beside 50 good logins a second | bad answered/s'
            ' | good answered/s | good p50 ms | good p99 ms | errors |\n|---|---|---|---|---|---|\n')
    for f in result['flood']:
        text += (f'| {f["kind"]} | {f["bad_per_s"]:,.0f} | {f["good_per_s"]:.0f}'
                 f' | {f["good_p50_ms"]:.2f} | {f["good_p99_ms"]:.1f} | {f["errors"]} |\n')
    return text


def steady(result):
    text = ''
    for name, what in (('login', 'logins of returning users'), ('gate', 'gate checks')):
        s = result['steady'][name]
        text += (f'Of {s["answers"]:,} {what}: {s["commits"]:.3f} COMMIT each,'
                 f' {s["questions"]:.2f} round trips to the database each, {s["prepares"]}'
                 f' statements prepared, {s["connects"]} connections opened.\n')
    return text


def by_size(result):
    """The rows of logins and of the gate, each with its number of users."""
    series = {'login': [], 'gate allows': []}
    for row in result['rows']:
        found = re.fullmatch(r'(login|gate allows), ([\d,]+) users', row['name'])
        if found and 'failure' not in row:
            series[found[1]].append((int(found[2].replace(',', '')), row))
    for name, rows in series.items():
        if whole := by_name(result, f'{name}, 16 clients'):
            rows.append((result['users'], whole))
    return series


def growth_table(result):
    text = ('| users | login: program and web us | login: database us | gate: program and web us'
            ' | gate: database us |\n|---|---|---|---|---|\n')
    series = by_size(result)
    for (users, login), (_, gate) in zip(series['login'], series['gate allows']):
        cells = [cell for row in (login, gate)
                 for cell in (row['program_us'] + row['web_us'], row['db_us'])]
        text += f'| {users:,} | ' + ' | '.join(f'{cell:.0f}' for cell in cells) + ' |\n'
    return text


def table(result):
    units = [r['unit_us'] for r in result['rows'] if 'failure' not in r]
    unit = sorted(units)[len(units) // 2] if units else 0
    return (f'`{result["command"]}`: {result["machine"]}; {result["rounds"]} rounds of'
            f' {result["seconds"]:g} s a case; {result["users"]:,} users, {result["sessions"]:,} sessions; V = {unit:.0f} us; load'
            f' average {result["load"][0]:.1f} before, {result["load"][1]:.1f} after. 16 clients'
            ' and lighttpd where nothing else is said.\n\n'
            + HEAD + ''.join(map(table_row, result['rows'])) + '\n' + comparison(result) + '\n'
            + growth_table(result) + '\n' + flood(result) + '\n' + steady(result))


# ---- plot

COLOURS = {'program': '#3465a4', 'web': '#8fb3dd', 'db': '#c9c9c9'}
BARS = ['login, 16 clients', 'login, nginx', 'login, Apache mod_proxy_fcgi',
        'limit program, 16 clients', 'tuned Express, full login, 16 clients',
        'Express sample, full login, 16 clients', 'Express sample, look-up only, 16 clients',
        'Flask sample, look-up only, 16 clients']


class Drawing:
    def __init__(self, width, height):
        self.parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
                      f' width="{width}" height="{height}" font-family="sans-serif"'
                      ' font-size="12" fill="#222">',
                      f'<rect width="{width}" height="{height}" fill="#fff"/>']

    def text(self, x, y, text, anchor='start', size=12, weight='normal'):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"'
                          f' font-weight="{weight}">{escape(text)}</text>')

    def box(self, x, y, width, height, fill):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}"'
                          f' height="{height:.1f}" fill="{fill}"/>')

    def line(self, points, colour, width=1.0):
        joined = ' '.join(f'{x:.1f},{y:.1f}' for x, y in points)
        self.parts.append(f'<polyline points="{joined}" fill="none" stroke="{colour}"'
                          f' stroke-width="{width}"/>')

    def dot(self, x, y, colour):
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>')

    def end(self):
        return '\n'.join(self.parts + ['</svg>']) + '\n'


def bars(d, result, top):
    rows = [r for r in (by_name(result, n) for n in BARS) if r]
    d.text(20, top, 'CPU for one login, microseconds (16 clients; logins a second at the right)',
           size=14, weight='bold')
    most = max((r['program_us'] + r['web_us'] + r['db_us'] for r in rows), default=1)
    scale = 420 / most
    y = top + 18
    for key, name in (('program', 'program'), ('web', 'web server'), ('db', 'database')):
        x = 260 + 110 * list(COLOURS).index(key)
        d.box(x, y, 12, 12, COLOURS[key])
        d.text(x + 17, y + 10, name)
    y += 22
    for row in rows:
        name = row['name'].replace(', 16 clients', '')
        ours = name.startswith('login')
        name = {'login': 'Pintle, lighttpd', 'login, nginx': 'Pintle, nginx',
                'login, Apache mod_proxy_fcgi': 'Pintle, Apache',
                'limit program': 'limit program (checks too little)'}.get(name, name)
        d.text(250, y + 14, name, 'end', weight='bold' if ours else 'normal')
        x = 260.0
        for key in COLOURS:
            width = row[key + '_us'] * scale
            d.box(x, y, width, 20, COLOURS[key])
            x += width
        total = row['program_us'] + row['web_us'] + row['db_us']
        d.text(x + 6, y + 14, f'{total:,.0f} us')
        d.text(860, y + 14, f'{row["per_s"]:,.0f}/s', 'end')
        y += 26
    return y


def growth(d, result, top):
    """Program, web server and database together, by the number of users."""
    big, series = result['users'], by_size(result)
    d.text(20, top, 'The same by the number of users: CPU of program, web server and database,'
           ' microseconds', size=14, weight='bold')
    left, right, y0, y1 = 260, 820, top + 170, top + 20
    sizes = sorted({n for points in series.values() for n, _ in points})
    if len(sizes) < 2:
        return y0
    cost = {name: [(n, r['program_us'] + r['web_us'] + r['db_us']) for n, r in sorted(
        points, key=lambda p: p[0])] for name, points in series.items()}
    most = max(c for points in cost.values() for _, c in points) * 1.15

    def place(n, c):
        position = math.log(n / sizes[0]) / math.log(sizes[-1] / sizes[0])
        return left + position * (right - left), y0 - c / most * (y0 - y1)

    d.line([(left, y1), (left, y0), (right, y0)], '#888')
    for n in sizes:
        d.text(place(n, 0)[0], y0 + 16, f'{n:,}', 'middle')
    for (name, points), colour in zip(cost.items(), ('#3465a4', '#4e9a06')):
        d.line([place(*p) for p in points], colour, 2)
        for n, c in points:
            x, y = place(n, c)
            d.dot(x, y, colour)
            d.text(x + 6 * (n == sizes[0]), y - 8, f'{c:,.0f}',
                   'start' if n == sizes[0] else 'middle')
        d.text(250, place(*points[0])[1] + 4, name, 'end')
    d.text((left + right) / 2, y0 + 34, 'users, and as many sessions'
           + ('; of the largest twice as many' if result['sessions'] > big else ''), 'middle')
    return y0 + 40


def plot(result):
    d = Drawing(880, 530)
    bottom = bars(d, result, 28)
    growth(d, result, bottom + 34)
    return d.end()


# ---- doc/performance.md keeps what a person wrote; between the marks stands what was measured

BEGIN, END = '<!-- measured -->\n', '<!-- end of what was measured -->\n'


def into_document(doc, result):
    page = doc / 'performance.md'
    text = page.read_text()
    head, tail = text[:text.index(BEGIN) + len(BEGIN)], text[text.index(END):]
    page.write_text(head + '\n' + table(result) + '\n![CPU for one login, and how it grows]'
                    '(performance.svg)\n\n' + tail)
    (doc / 'performance.svg').write_text(plot(result))
