/* Which address is in which network: to the bit, in both families. */
#include "network.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

struct pair {
	const char *network, *address;
};

static void each(const struct pair *pairs, size_t count, bool wanted)
{
	for (size_t i = 0; i < count; i++)
		if (network_holds(text_of(pairs[i].network), text_of(pairs[i].address)) !=
		    wanted)
			fail_msg("%s in %s: %d is wanted", pairs[i].address,
				 pairs[i].network, wanted);
}

static void what_is_inside(void **state)
{
	static const struct pair pairs[] = {
		{ "192.0.2.7", "192.0.2.7" },
		{ "192.0.2.0/24", "192.0.2.0" },
		{ "192.0.2.0/24", "192.0.2.255" },
		{ "192.0.2.8/29", "192.0.2.15" },
		{ "192.0.2.7/32", "192.0.2.7" },
		{ "0.0.0.0/0", "203.0.113.9" },
		{ "192.0.2.99/24", "192.0.2.1" },
		{ "::1", "::1" },
		{ "::1", "0:0:0:0:0:0:0:1" },
		{ "2001:db8::/32", "2001:db8:ffff::1" },
		{ "2001:db8::/33", "2001:db8:7fff::1" },
		{ "2001:db8::1/128", "2001:DB8::1" },
		{ "::/0", "2001:db8::1" },
		{ "192.0.2.0/24", "::ffff:192.0.2.7" },
		{ "::ffff:192.0.2.0/120", "192.0.2.7" },
	};

	(void)state;
	each(pairs, COUNT(pairs), true);
}

static void what_is_beside(void **state)
{
	static const struct pair pairs[] = {
		{ "192.0.2.7", "192.0.2.8" },
		{ "192.0.2.0/24", "192.0.3.0" },
		{ "192.0.2.0/24", "192.0.1.255" },
		{ "192.0.2.8/29", "192.0.2.7" },
		{ "192.0.2.8/29", "192.0.2.16" },
		{ "::1", "::2" },
		{ "2001:db8::/32", "2001:db9::" },
		{ "2001:db8::/33", "2001:db8:8000::1" },
		{ "0.0.0.0/0", "2001:db8::1" },
		{ "0.0.0.0/0", "::1" },
		{ "127.0.0.1", "::1" },
		{ "::1", "127.0.0.1" },
	};

	(void)state;
	each(pairs, COUNT(pairs), false);
}

static void what_is_no_address_is_nowhere(void **state)
{
	static const char *const addresses[] = {
		"",
		"localhost",
		"127.0.0.1 ",
		" 127.0.0.1",
		"127.0.0.1, 127.0.0.1",
		"127.1",
		"127.0.0.1:80",
		"[::1]",
		"::1%lo",
		"127.0.0.1/8",
		"00000000000000000000000000000000000000000000000000000000000000000000127."
		"0.0.1",
	};
	static const struct pair networks[] = {
		{ "127.0.0.0/33", "127.0.0.1" },
		{ "127.0.0.0/", "127.0.0.1" },
		{ "127.0.0.0/x", "127.0.0.1" },
		{ "127.0.0.0/-1", "127.0.0.1" },
		{ "::/129", "::1" },
		{ "", "127.0.0.1" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(addresses); i++) {
		const struct pair both[] = { { "0.0.0.0/0", addresses[i] },
					     { "::/0", addresses[i] },
					     { addresses[i], addresses[i] } };

		each(both, strchr(addresses[i], '/') ? 2 : COUNT(both), false);
	}
	each(networks, COUNT(networks), false);
	assert_false(network_holds(AS_TEXT("127.0.0.1"), AS_TEXT("127.0.0.1\0x")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_inside),
		cmocka_unit_test(what_is_beside),
		cmocka_unit_test(what_is_no_address_is_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
