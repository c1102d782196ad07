#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "json.h"
#include "log.h"

#define TOKEN_RUN 20
#define ESCAPE_RUN 5 /* of "\\u00a4", what could be a token's beginning */
#define PARTS 7

static const struct config_log quiet = { .level = CONFIG_LOG_ERROR };

/* What is written to stderr between the two. */
static int capture_start(int *kept)
{
	static int memory = -1;

	if (memory < 0)
		memory = memfd_create("fuzz-log", MFD_CLOEXEC);
	REQUIRE(memory >= 0 && ftruncate(memory, 0) == 0 &&
		lseek(memory, 0, SEEK_SET) == 0);
	*kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	REQUIRE(dup2(memory, STDERR_FILENO) >= 0);
	return memory;
}

static struct text capture_end(struct arena *a, int memory, int kept)
{
	char *bytes = arena_alloc(a, 16384);
	ssize_t len;

	/* libFuzzer may have closed it. */
	if (kept >= 0) {
		dup2(kept, STDERR_FILENO);
		close(kept);
	} else {
		close(STDERR_FILENO);
	}
	len = pread(memory, bytes, 16384, 0);
	REQUIRE(len >= 0);
	return (struct text){ bytes, (size_t)len };
}

static bool is_token_char(char c)
{
	return c && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			   "0123456789-_",
			   c);
}

static bool is_escaped(struct text t)
{
	for (size_t i = 0; i < t.len; i++)
		if (t.data[i] < ' ' || t.data[i] > '~' || strchr("\"\\", t.data[i]))
			return true;
	return false;
}

/* What may be a token, of so many characters, is in no line, wherever it stood. */
static void check_secrets(struct text value, size_t token_run, struct text line)
{
	for (size_t i = 0; i < value.len; i++) {
		size_t len = 0, upper = 0, lower = 0;

		while (i + len < value.len && is_token_char(value.data[i + len])) {
			upper += value.data[i + len] >= 'A' && value.data[i + len] <= 'Z';
			lower += value.data[i + len] >= 'a' && value.data[i + len] <= 'z';
			len++;
		}
		if (len >= token_run && upper && lower)
			REQUIRE(!memmem(line.data, line.len, value.data + i, len));
		i += len;
	}
}

static void check_line(struct arena *a, struct text out, bool json)
{
	const char *why = "";

	/* One line, of what is harmless on a terminal. */
	REQUIRE(out.len && out.data[out.len - 1] == '\n');
	for (size_t i = 0; i + 1 < out.len; i++)
		REQUIRE(out.data[i] >= ' ' && out.data[i] <= '~');
	if (json)
		REQUIRE(json_type(json_parse(a, (struct text){ out.data, out.len - 1 }, 2,
					     &why)) == JSON_OBJECT);
	else
		REQUIRE(text_starts(out, "time="));
}

static void log_all(const struct text part[PARTS])
{
	log_request(&(struct log_request){
		.request_id = "0123456789abcdef",
		.method = part[0],
		.path = part[1],
		.address = part[2],
		.detail = part[3].data,
		.provider = part[4].data,
		.user_id = part[5].data,
		.cause = "expired",
		.place = "a.c:1",
		.status = 403,
		.milliseconds = (double)part[6].len / 7,
	});
}

/* A letter, j for JSON; then what clients send, a line each. */
void fuzz_log(struct arena *a, struct text input)
{
	const bool json = input.len && *input.data == 'j';
	const struct config_log settings = { json ? CONFIG_LOG_JSON : CONFIG_LOG_TEXT,
					     CONFIG_LOG_DEBUG, CONFIG_LOG_STDERR };
	struct text part[PARTS], rest = input, line;
	size_t token_run = TOKEN_RUN;
	int kept, memory;

	for (size_t i = 0; i < PARTS; i++) {
		/* A variable ends at a NUL. */
		part[i] = text_of(arena_copy(a, text_before(rest, '\n', &rest)).data);
		/* "\xa4" and what follows may read like another's token from its "4" on. */
		if (is_escaped(part[i]))
			token_run = TOKEN_RUN + ESCAPE_RUN;
	}
	log_open(&settings, "fuzz");
	memory = capture_start(&kept);
	log_all(part);
	line = capture_end(a, memory, kept);
	check_line(a, line, json);
	for (size_t i = 0; i < PARTS - 1; i++)
		check_secrets(part[i], token_run, line);
	memory = capture_start(&kept);
	log_event(CONFIG_LOG_INFO, "fuzz", "%.*s", TEXT_ARG(input));
	line = capture_end(a, memory, kept);
	check_line(a, line, json);
	log_open(&quiet, "fuzz");
	fuzz_through++;
}
