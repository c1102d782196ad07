#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096 /* a pipe takes as much in one piece */
#define VALUE_MAX_BYTES 256 /* of one value, escaped: a full line keeps all its names */
#define MESSAGE_MAX_BYTES 512
#define TOKEN_RUN 20 /* so many token characters in a row could be one */

/*
 * Format, level and target, a byte each: a reload changes them while threads write lines,
 * and a line is of one kind from its beginning to its end.
 */
static atomic_uint settings =
	CONFIG_LOG_TEXT | CONFIG_LOG_INFO << 8 | CONFIG_LOG_STDERR << 16;

/* A line under construction; on the stack, so that logging works when memory does not. */
struct line {
	char bytes[LINE_MAX_BYTES];
	size_t len;
	struct config_log how;
};

static struct config_log current(void)
{
	const unsigned word = atomic_load(&settings);

	return (struct config_log){ (enum config_log_format)(word & 0xff),
				    (enum config_log_level)(word >> 8 & 0xff),
				    (enum config_log_target)(word >> 16) };
}

void log_open(const struct config_log *config, const char *program)
{
	if (config->target == CONFIG_LOG_SYSLOG)
		openlog(program, LOG_PID, LOG_AUTHPRIV);
	atomic_store(&settings, (unsigned)config->format | (unsigned)config->level << 8 |
					(unsigned)config->target << 16);
}

static void add_char(struct line *line, char c)
{
	if (line->len < sizeof(line->bytes) - 2)
		line->bytes[line->len++] = c;
}

static void add_plain(struct line *line, const char *s)
{
	while (*s)
		add_char(line, *s++);
}

static bool is_json(const struct line *line)
{
	return line->how.format == CONFIG_LOG_JSON;
}

static bool is_token_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

/* How many token characters begin at T[I]; 0 in the middle of them. */
static size_t token_run(struct text t, size_t i)
{
	size_t end = i;

	if (i && is_token_char(t.data[i - 1]))
		return 0;
	while (end < t.len && is_token_char(t.data[end]))
		end++;
	return end - i;
}

/* UUIDs, hex digits and most ids are of one case; hardly a token in base64url ever is. */
static bool has_both_cases(const char *bytes, size_t len)
{
	bool upper = false, lower = false;

	for (size_t i = 0; i < len; i++) {
		upper = upper || (bytes[i] >= 'A' && bytes[i] <= 'Z');
		lower = lower || (bytes[i] >= 'a' && bytes[i] <= 'z');
	}
	return upper && lower;
}

static void add_escaped_char(struct line *line, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	if (c >= ' ' && c <= '~' && c != '"' && c != '\\') {
		add_char(line, (char)c);
		return;
	}
	add_plain(line, is_json(line) ? "\\u00" : "\\x");
	add_char(line, hex[c >> 4]);
	add_char(line, hex[c & 15]);
}

/*
 * What a client sent can hold line ends, escape sequences, quotes: none gets through. Nor
 * does what could be a token that was put in the wrong place.
 */
static void add_escaped(struct line *line, struct text t, bool is_path)
{
	const size_t end = line->len + VALUE_MAX_BYTES;

	for (size_t i = 0; i < t.len; i++) {
		const size_t run = token_run(t, i);

		if (line->len >= end) {
			add_plain(line, "...");
			return;
		}
		if (run >= TOKEN_RUN && (is_path || has_both_cases(t.data + i, run))) {
			add_plain(line, "[cut]");
			i += run - 1;
			continue;
		}
		add_escaped_char(line, (unsigned char)t.data[i]);
	}
}

/* Values of ours that need no quotes in the text format: words, numbers, ids. */
static bool is_word(struct text t)
{
	for (size_t i = 0; i < t.len; i++) {
		const char c = t.data[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		      (c >= 'A' && c <= 'Z') || (c && strchr("._:/-", c))))
			return false;
	}
	return t.len > 0;
}

static void add_name(struct line *line, const char *name)
{
	if (is_json(line)) {
		add_plain(line, line->len ? ",\"" : "{\"");
		add_plain(line, name);
		add_plain(line, "\":");
	} else {
		if (line->len)
			add_char(line, ' ');
		add_plain(line, name);
		add_char(line, '=');
	}
}

static void add_value(struct line *line, const char *name, struct text value,
		      bool is_path)
{
	const bool quotes = is_json(line) || !is_word(value);

	if (!value.len)
		return;
	add_name(line, name);
	if (quotes)
		add_char(line, '"');
	add_escaped(line, value, is_path);
	if (quotes)
		add_char(line, '"');
}

static void add_text(struct line *line, const char *name, struct text value)
{
	add_value(line, name, value, false);
}

static void add_digits(struct line *line, uint64_t value)
{
	char digits[21], *at = digits + sizeof(digits) - 1;

	*at = '\0';
	do
		*--at = (char)('0' + value % 10);
	while (value /= 10);
	add_plain(line, at);
}

static void add_status(struct line *line, int status)
{
	add_name(line, "status");
	add_digits(line, (uint64_t)status);
}

/* With two digits after the point; printf takes 2,500 instructions for that. */
static void add_milliseconds(struct line *line, double ms)
{
	const uint64_t hundredths = ms > 0 ? (uint64_t)(ms * 100 + 0.5) : 0;

	add_name(line, "ms");
	add_digits(line, hundredths / 100);
	add_char(line, '.');
	add_char(line, (char)('0' + hundredths / 10 % 10));
	add_char(line, (char)('0' + hundredths % 10));
}

static void start(struct line *line, enum config_log_level level)
{
	static const char *const names[] = { "error", "warning", "info", "debug" };
	char when[TEXT_TIME_SIZE + 1];
	size_t len;

	line->len = 0;
	if (line->how.target == CONFIG_LOG_STDERR) {
		text_print_time(time(NULL), 'T', when);
		len = strlen(when);
		when[len] = 'Z';
		add_text(line, "time", (struct text){ when, len + 1 });
	}
	add_text(line, "level", text_of(names[level]));
}

static void finish(struct line *line, enum config_log_level level)
{
	static const int priorities[] = { LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

	if (is_json(line)) {
		/* Room was left for two bytes; an overlong line loses its end, not its brace. */
		line->bytes[line->len++] = '}';
	}
	if (line->how.target == CONFIG_LOG_SYSLOG) {
		syslog(priorities[level], "%.*s", (int)line->len, line->bytes);
	} else {
		line->bytes[line->len++] = '\n';
		/* One write, so that the lines of threads and processes do not mix. */
		while (write(STDERR_FILENO, line->bytes, line->len) < 0 && errno == EINTR)
			;
	}
	/* What a client sent is in it, and the stack would keep that. */
	explicit_bzero(line->bytes, line->len);
}

void log_request(const struct log_request *r)
{
	const enum config_log_level level =
		r->status >= 500 ? CONFIG_LOG_ERROR : CONFIG_LOG_INFO;
	struct line line;

	line.how = current();
	if (level > line.how.level)
		return;
	start(&line, level);
	add_text(&line, "request", text_of(r->request_id));
	add_text(&line, "method", r->method);
	add_value(&line, "path", r->path, true);
	add_status(&line, r->status);
	add_text(&line, "error", text_of(r->error));
	add_text(&line, "reason", text_of(r->cause));
	add_text(&line, "detail", text_of(r->detail));
	if (line.how.level >= CONFIG_LOG_DEBUG)
		add_text(&line, "place", text_of(r->place));
	add_text(&line, "provider", text_of(r->provider));
	add_text(&line, "user", text_of(r->user_id));
	add_text(&line, "address", r->address);
	add_milliseconds(&line, r->milliseconds);
	finish(&line, level);
}

void log_event(enum config_log_level level, const char *event, const char *format, ...)
{
	char message[MESSAGE_MAX_BYTES];
	struct line line;
	va_list args;

	line.how = current();
	if (level > line.how.level)
		return;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	start(&line, level);
	add_text(&line, "event", text_of(event));
	add_text(&line, "message", text_of(message));
	finish(&line, level);
}
