/* Files of state_dir, in which a disk or another program has left anything. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buffer.h"
#include "fixture.h"
#include "fuzz.h"
#include "in_doubt.h"
#include "json.h"
#include "jwks.h"
#include "metrics.h"
#include "mint_keys.h"
#include "pass.h"
#include "rate.h"
#include "scratch.h"

#define RATE_LIMIT 3
#define RATE_HEADER 40
#define RATE_BYTES (RATE_HEADER + 16384 * 32)
#define IN_DOUBT_MAX 65536

static void fill(struct arena *a, const char *name, struct text content)
{
	const int fd = open(scratch_path(a, name),
			    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	REQUIRE(fd >= 0 && write(fd, content.data, content.len) == (ssize_t)content.len);
	close(fd);
}

/* ---- rate: whatever is in the file, an address has no more than its tries */

/* The header as it is, or as it ought to be; then all buckets of the same bytes. */
static struct text rate_file(struct arena *a, struct text input)
{
	static const uint64_t magic = 0x50696e746c655232u;
	char *bytes = arena_alloc(a, RATE_BYTES);

	if (input.len < 80)
		return input;
	memcpy(bytes, input.data, RATE_HEADER);
	if (input.data[0] & 1)
		memcpy(bytes, &magic, sizeof(magic));
	for (size_t i = RATE_HEADER; i < RATE_BYTES; i += 32)
		memcpy(bytes + i, input.data + RATE_HEADER, 32);
	return (struct text){ bytes, RATE_BYTES };
}

static void check_rate(struct arena *a, struct text input)
{
	struct config config = { .rate_login = RATE_LIMIT,
				 .state_dir = fixture_app()->config->state_dir };
	struct rate *rate = rate_new(&config);
	const struct text address = AS_TEXT("192.0.2.1");
	struct problem p = { 0 };
	bool allowed = true;

	fill(a, "rate", rate_file(a, input));
	for (int i = 0; i <= RATE_LIMIT; i++) {
		const bool before = allowed;

		problem_clear(&p);
		allowed = rate_allow(rate, address, FIXTURE_NOW, &p);
		REQUIRE(allowed == (p.kind == PROBLEM_NONE));
		REQUIRE(before || !allowed);
		REQUIRE(allowed || (p.kind == PROBLEM_RATE_LIMITED &&
				    p.retry_after_s >= 1 && p.retry_after_s <= 60));
	}
	REQUIRE(!allowed);
	rate_free(rate);
	unlink(scratch_path(a, "rate"));
	fuzz_through++;
}

/* ---- in-doubt */

static void check_in_doubt(struct arena *a, struct text input)
{
	const char *dir = fixture_app()->config->state_dir;
	const struct text known = { input.data,
				    input.len < IN_DOUBT_MAX ? input.len : IN_DOUBT_MAX };
	struct buffer around = buffer_new(a, known.len + 2);
	struct stat st;

	buffer_add_char(&around, '\n');
	buffer_add(&around, known);
	buffer_add_char(&around, '\n');
	fill(a, "in-doubt", input);
	REQUIRE(in_doubt_find(dir, "12", 3) ==
		(memmem(around.data, around.len, "\n12.3\n", 6) != NULL));
	/* Also after a line that was cut short. */
	in_doubt_note(dir, "7", 18446744073709551615u);
	REQUIRE(in_doubt_find(dir, "7", 18446744073709551615u));
	REQUIRE(stat(scratch_path(a, "in-doubt"), &st) == 0 &&
		st.st_size <= IN_DOUBT_MAX);
	unlink(scratch_path(a, "in-doubt"));
}

/* ---- doctor's pass */

/* Of a time of its own: between two looks at the clock a busy machine may do much else. */
static void fill_pass(struct arena *a, struct text content)
{
	static const struct timespec now[2] = { { .tv_sec = FIXTURE_NOW },
						{ .tv_sec = FIXTURE_NOW } };

	fill(a, "doctor", content);
	REQUIRE(utimensat(AT_FDCWD, scratch_path(a, "doctor"), now, 0) == 0);
}

static void check_pass(struct arena *a, struct text input)
{
	static const char written[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	const char *dir = fixture_app()->config->state_dir;
	unsigned char hash[SHA256_BYTES];
	bool good;

	secret_sha256(text_of(written), hash);
	fill_pass(a, input);
	good = input.len == SHA256_BYTES && memcmp(input.data, hash, SHA256_BYTES) == 0;
	REQUIRE(pass_is_valid(dir, text_of(written), FIXTURE_NOW) == good);
	REQUIRE(!pass_is_valid(dir, text_of(written), FIXTURE_NOW + 2 * PASS_LIFE_S));
	REQUIRE(!pass_is_valid(dir, input, FIXTURE_NOW));
	fill_pass(a, (struct text){ (char *)hash, sizeof(hash) });
	REQUIRE(pass_is_valid(dir, text_of(written), FIXTURE_NOW));
	unlink(scratch_path(a, "doctor"));
}

/* ---- a key set as pintle-fetch leaves it: for its time, of its URL, and no other */

#define KEYS_URL "https://keys.example/jwks"
#define STALE_S 86400
#define COOLDOWN_S 36000 /* longer than anybody stops a fuzzer */

static double time_in(const struct json *record, const char *name)
{
	const struct json *value;
	double number = -1;

	if (json_member(record, name, &value))
		json_number(value, &number);
	return number;
}

/* May a key out of it be used now? */
static bool may_serve(const struct json *record)
{
	const double fetched = time_in(record, "fetched_at"),
		     fresh = time_in(record, "fresh_until");
	const struct json *value;
	struct text url;

	return json_member(record, "url", &value) && json_string(value, &url) &&
	       text_is(url, KEYS_URL) && fetched >= 0 && FIXTURE_NOW <= fresh + STALE_S &&
	       FIXTURE_NOW <= fetched + JWKS_LIFE_MAX_S + STALE_S + 1;
}

/* The file as it stands in the input; "%K" is a set with our key. */
static struct text key_file(struct arena *a, struct text input)
{
	struct buffer b = buffer_new(a, input.len + 512);

	for (size_t i = 0; i < input.len; i++) {
		if (input.data[i] != '%' || i + 1 == input.len ||
		    input.data[i + 1] != 'K') {
			buffer_add_char(&b, input.data[i]);
			continue;
		}
		buffer_add(&b,
			   text_of(maker_jwk_set(a,
						 maker_jwk(a, fixture_key(),
							   "\"kid\":\"" FIXTURE_KID "\""),
						 NULL)));
		i++;
	}
	return buffer_text(&b);
}

static void check_key_file(struct arena *a, struct text input)
{
	static char name[] = "file", url[] = KEYS_URL;
	const struct config_provider provider = { .name = name, .jwks_url = url };
	const struct config config = { .state_dir = fixture_app()->config->state_dir,
				       .threads = 2,
				       .key_cooldown_s = COOLDOWN_S,
				       .fetch_timeout_s = 1,
				       .keys_max_stale_s = STALE_S };
	const struct text file = key_file(a, input), kid = AS_TEXT(FIXTURE_KID);
	const struct jwks_wanted wanted = { .kid = &kid, .algorithm = JWS_ES256 };
	const char *why;
	const struct json *record = json_parse(a, file, 10, &why);
	const struct jws_key *key = NULL;
	struct problem p = { 0 };
	struct jwks *jwks;

	mkdir(scratch_path(a, "jwks"), 0700);
	fill(a, "jwks/file.json", file);
	/* It has just been tried: nothing is started. */
	fill(a, "jwks/file.tried", text_of(url));
	jwks = jwks_new(&config, &provider);
	if (jwks_find(jwks, &wanted, FIXTURE_NOW, a, &key, &p)) {
		fuzz_through++;
		REQUIRE(key && may_serve(record));
	} else {
		/* Only of a set that was fetched just now a kid is known to be invented. */
		REQUIRE(p.kind == PROBLEM_KEYS_AWAY || p.kind == PROBLEM_TOKEN_KEY);
		REQUIRE(p.kind == PROBLEM_KEYS_AWAY ||
			(may_serve(record) &&
			 time_in(record, "fetched_at") + COOLDOWN_S >= FIXTURE_NOW));
	}
	arena_reset(a); /* lets go of the keys */
	jwks_free(jwks);
}

/* ---- keys_dir: nothing signs but a key of which everybody has the public half */

static const char *keys_dir(struct arena *a)
{
	static const char *dir;
	struct problem p = { 0 };
	char kid[64];

	if (dir)
		return dir;
	dir = arena_copy(fuzz_forever(), text_of(scratch_path(a, "own-keys"))).data;
	REQUIRE(mkdir(dir, 0700) == 0);
	for (int i = 0; i < 2; i++)
		REQUIRE(mint_rotate(dir, FIXTURE_NOW + i, kid, &p));
	return dir;
}

static bool is_listed(struct arena *a, struct text set, const char *kid)
{
	const char *why;
	const struct json *keys, *value;
	struct text name;

	if (!json_member(json_parse(a, set, 40, &why), "keys", &keys))
		return false;
	for (size_t i = 0; i < json_array_length(keys); i++)
		if (json_member(json_array_at(keys, i), "kid", &value) &&
		    json_string(value, &name) && text_is(name, kid))
			return true;
	return false;
}

static void note_kid(void *context, const char *kid, int64_t created_at, bool signs)
{
	char(*kids)[64] = context;

	(void)created_at;
	snprintf(kids[!signs], sizeof(kids[0]), "%s", kid);
}

/* In the input "%0" and "%1" are the names of the two keys. */
static void check_keys(struct arena *a, struct text input)
{
	static char kids[2][64];
	const char *dir = keys_dir(a);
	struct buffer b = buffer_new(a, input.len + 128);
	struct mint_keys keys;
	struct problem p = { 0 };
	struct text set;
	bool loaded;

	if (!kids[0][0])
		REQUIRE(mint_each_key(dir, note_kid, kids, &p));
	for (size_t i = 0; i < input.len; i++)
		if (input.data[i] == '%' && i + 1 < input.len &&
		    (input.data[i + 1] | 1) == '1')
			buffer_add(&b, text_of(kids[input.data[++i] & 1]));
		else
			buffer_add_char(&b, input.data[i]);
	fill(a, "own-keys/" MINT_JWKS_FILE, buffer_text(&b));
	loaded = mint_keys_load(dir, a, &keys, &p);
	REQUIRE(loaded == (p.kind == PROBLEM_NONE) &&
		(loaded || p.kind == PROBLEM_INTERNAL));
	if (loaded)
		REQUIRE(is_listed(a, buffer_text(&b), keys.kid));
	else
		REQUIRE(!is_listed(a, buffer_text(&b), kids[0]) ||
			json_scan(buffer_text(&b), 8, NULL));
	fuzz_through += loaded;
	problem_clear(&p);
	if (mint_keys_jwks(dir, a, &set, &p))
		REQUIRE(!json_scan(set, 40, NULL));
}

/* ---- metrics: in a file that workers have in their memory */

static void put(const char *path, struct text content, size_t where, bool cut)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC);

	REQUIRE(fd >= 0 && pwrite(fd, content.data, content.len, (off_t)where) ==
				   (ssize_t)content.len);
	/* What is beyond the end is no memory any more. */
	if (cut)
		REQUIRE(ftruncate(fd, (off_t)where) == 0);
	close(fd);
}

static const char *metrics_path(struct arena *a)
{
	static const char *path;
	const char *dir = fixture_app()->config->state_dir;
	struct dirent *entry;
	DIR *d;

	if (path)
		return path;
	d = opendir(dir);
	REQUIRE(d);
	while ((entry = readdir(d)))
		if (strncmp(entry->d_name, "metrics-", 8) == 0)
			path = arena_printf(fuzz_forever(), "%s/%s", dir, entry->d_name)
				       .data;
	closedir(d);
	(void)a;
	REQUIRE(path);
	return path;
}

/* Every line says what it is about, or a number. */
static void check_printed(struct text printed)
{
	while (printed.len) {
		struct text value;
		const struct text line = text_before(printed, '\n', &printed);
		const char *blank = memrchr(line.data, ' ', line.len);

		if (line.len && *line.data == '#')
			continue;
		REQUIRE(blank && text_starts(line, "pintle_"));
		value = (struct text){ blank + 1,
				       line.len - (size_t)(blank + 1 - line.data) };
		REQUIRE(value.len);
		for (size_t i = 0; i < value.len; i++)
			REQUIRE(strchr("0123456789.-", value.data[i]));
	}
}

static void check_metrics(struct arena *a, struct text input)
{
	struct buffer b = buffer_new(a, 65536);
	struct problem p = { 0 };

	if (input.len < 3)
		return;
	put(metrics_path(a), (struct text){ input.data + 3, input.len - 3 },
	    (size_t)((unsigned char)input.data[0] * 256 + (unsigned char)input.data[1]) %
		    8192,
	    input.data[2] & 1);
	metrics_request(METRICS_PATH_LOGIN, 200, 1000);
	metrics_login(PROBLEM_NONE, true);
	metrics_commit(17);
	/* Looks whether the file is whole, and makes it so. */
	REQUIRE(metrics_print(&b, &p));
	check_printed(buffer_text(&b));
}

/* A letter for the file, then what is in it. */
void fuzz_state(struct arena *a, struct text input)
{
	struct text content;

	if (!input.len)
		return;
	fixture_app();
	content = (struct text){ input.data + 1, input.len - 1 };
	switch (*input.data) {
	case 'r':
		check_rate(a, content);
		break;
	case 'i':
		check_in_doubt(a, content);
		break;
	case 'p':
		check_pass(a, content);
		break;
	case 'j':
		check_key_file(a, content);
		break;
	case 'k':
		check_keys(a, content);
		break;
	case 'm':
		check_metrics(a, content);
		break;
	}
}
