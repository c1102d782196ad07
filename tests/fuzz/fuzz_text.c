#include <arpa/inet.h>
#include <time.h>

#include "buffer.h"
#include "fuzz.h"
#include "json.h"
#include "network.h"

static void check_number(struct arena *a, struct text t)
{
	const char *copy = arena_copy(a, t).data;
	const bool digits = t.len && t.len <= 18 && strspn(copy, "0123456789") == t.len;
	int64_t number = -1;

	REQUIRE(text_to_number(t, &number) == digits);
	REQUIRE(number == (digits ? strtoll(copy, NULL, 10) : -1));
}

/* As the C library prints it. */
static void check_time(int64_t when)
{
	char printed[TEXT_TIME_SIZE], expected[TEXT_TIME_SIZE];
	const time_t seconds = when;
	struct tm tm;

	if (when < 0 || when > 253402300799 || !gmtime_r(&seconds, &tm))
		return;
	text_print_time(when, 'T', printed);
	REQUIRE(strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S", &tm));
	REQUIRE(strcmp(printed, expected) == 0);
}

/* 128 characters, 0 or 1; IPv4 as ::ffff:0:0/96. */
static bool bits_of(const char *address, char out[129])
{
	unsigned char bytes[16] = { [10] = 0xff, [11] = 0xff };

	if (inet_pton(AF_INET, address, bytes + 12) != 1 &&
	    inet_pton(AF_INET6, address, bytes) != 1)
		return false;
	for (int i = 0; i < 128; i++)
		out[i] = (char)('0' + (bytes[i / 8] >> (7 - i % 8) & 1));
	out[128] = '\0';
	return true;
}

static bool holds(struct arena *a, const char *network, const char *address)
{
	const char *slash = strchr(network, '/');
	const char *base =
		arena_copy(a, (struct text){ network, strcspn(network, "/") }).data;
	char net[129], host[129];
	size_t bits = 128;

	if (!bits_of(base, net) || !bits_of(address, host))
		return false;
	if (slash) {
		const size_t len = strlen(slash + 1);

		if (!len || len > 18 || strspn(slash + 1, "0123456789") != len)
			return false;
		bits = (size_t)strtoull(slash + 1, NULL, 10) +
		       (strchr(base, ':') ? 0 : 96);
	}
	return bits <= 128 && strncmp(net, host, bits) == 0;
}

static void check_network(struct arena *a, struct text network, struct text address)
{
	const bool held = network_holds(network, address);

	if (memchr(network.data, '\0', network.len) ||
	    memchr(address.data, '\0', address.len)) {
		REQUIRE(!held);
		return;
	}
	fuzz_through += held;
	REQUIRE(held ==
		holds(a, arena_copy(a, network).data, arena_copy(a, address).data));
}

/* Any bytes become JSON, and what was UTF-8 comes back as it was. */
static void check_written(struct arena *a, struct text bytes)
{
	struct buffer b = buffer_new(a, 64);
	const struct json *written, *value;
	const char *why = "";
	struct text back;

	json_begin(&b, NULL, '{');
	json_add_string(&b, "a", bytes);
	json_add_string(&b, "b", bytes);
	json_end(&b, '}');
	for (size_t i = 0; i < b.len; i++)
		REQUIRE((unsigned char)b.data[i] >= ' ' && b.data[i] != 0x7f &&
			b.data[i] != '<');
	written = json_parse(a, buffer_text(&b), 2, &why);
	/* A NUL is written, and read by nobody. */
	REQUIRE(written || memchr(bytes.data, '\0', bytes.len));
	if (!written)
		return;
	REQUIRE(json_member(written, "b", &value) && json_string(value, &back));
	if (!memmem(back.data, back.len, "\xef\xbf\xbd", 3))
		REQUIRE(text_equal(back, bytes));
}

/* Two lines: numbers, times, networks and addresses; and any bytes at all. */
void fuzz_text(struct arena *a, struct text input)
{
	struct text second, trimmed;
	const struct text first = text_before(input, '\n', &second);
	int64_t number;

	REQUIRE(first.len + second.len + (first.len < input.len) == input.len);
	check_number(a, first);
	if (text_to_number(first, &number))
		check_time(number);
	check_network(a, first, second);
	check_written(a, input);
	trimmed = text_trim(first);
	REQUIRE(text_equal(text_trim(trimmed), trimmed) &&
		(!trimmed.len ||
		 memmem(first.data, first.len, trimmed.data, trimmed.len)));
}
