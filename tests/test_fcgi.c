/* FastCGI records as web servers send them, and as nobody should. */
#include "../cgi/fcgi.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define TEXT_OF(literal) ((struct text){ (literal), sizeof(literal) - 1 })

/* What a peer sends, put together; and both ends of the connection. */
static unsigned char sent[400000];
static size_t sent_len;
static int peer;
static struct fcgi f;
static struct arena *arena;

static void add(const void *bytes, size_t len)
{
	assert_true(sent_len + len <= sizeof(sent));
	memcpy(sent + sent_len, bytes, len);
	sent_len += len;
}

static void add_record(unsigned type, unsigned id, struct text content, unsigned padding)
{
	const unsigned char header[] = { 1, (unsigned char)type, (unsigned char)(id >> 8),
					 (unsigned char)id, (unsigned char)(content.len >> 8),
					 (unsigned char)content.len, (unsigned char)padding, 0 };
	static const char zeroes[256];

	add(header, sizeof(header));
	add(content.data, content.len);
	add(zeroes, padding);
}

static void add_begin(unsigned id, unsigned role)
{
	const char body[8] = { (char)(role >> 8), (char)role, 0 };

	add_record(1, id, (struct text){ body, 8 }, 0);
}

#define PAIRS TEXT_OF("\16\4REQUEST_METHODPOST\1\3AB=C\1\0E")
#define BODY TEXT_OF("{\"token\": 1}")

static void add_request(void)
{
	add_begin(1, FCGI_RESPONDER);
	add_record(4, 1, PAIRS, 4);
	add_record(4, 1, TEXT_OF(""), 0);
	add_record(5, 1, BODY, 5);
	add_record(5, 1, TEXT_OF(""), 0);
}

/* The peer sends what was put together, and then says no more: a read never waits. */
static bool opens(void)
{
	int ends[2];
	size_t at = 0;
	const int size = 1 << 20;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	peer = ends[0];
	setsockopt(peer, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	while (at < sent_len) {
		const ssize_t n = send(peer, sent + at, sent_len - at, MSG_DONTWAIT);

		assert_true(n > 0);
		at += (size_t)n;
	}
	shutdown(peer, SHUT_WR);
	sent_len = 0;
	return fcgi_open(&f, ends[1], arena);
}

static void finish(void)
{
	fcgi_close(&f);
	close(peer);
	arena_reset(arena);
}

static void assert_variables(const char *const *wanted)
{
	size_t i = 0;

	for (; wanted[i]; i++) {
		assert_non_null(f.variables[i]);
		assert_string_equal(f.variables[i], wanted[i]);
	}
	assert_null(f.variables[i]);
}

static const char *const the_pairs[] = { "REQUEST_METHOD=POST", "A=B=C", "E=", NULL };

/* The body, read in pieces of SIZE; false when it does not come to its end. */
static bool read_all(char *out, size_t *len, size_t size)
{
	ssize_t got;

	*len = 0;
	while ((got = fcgi_read(&f, out + *len, size)) > 0)
		*len += (size_t)got;
	return got == 0;
}

static void assert_whole(void)
{
	char body[64];
	size_t len;

	assert_variables(the_pairs);
	assert_true(read_all(body, &len, 5));
	assert_int_equal(len, BODY.len);
	assert_memory_equal(body, BODY.data, len);
	assert_int_equal(fcgi_read(&f, body, 5), 0);
}

/* What the peer was told, a record after the other: type, id, and a byte of the content. */
static void assert_told(unsigned type, unsigned id, size_t at, unsigned byte)
{
	unsigned char header[8], content[256];
	size_t len;

	assert_int_equal(recv(peer, header, 8, MSG_DONTWAIT), 8);
	len = (size_t)header[4] << 8 | header[5];
	assert_true(len + header[6] <= sizeof(content));
	if (len + header[6])
		assert_int_equal(recv(peer, content, len + header[6], MSG_DONTWAIT),
				 len + header[6]);
	assert_int_equal(header[1], type);
	assert_int_equal((unsigned)header[2] << 8 | header[3], id);
	if (len)
		assert_int_equal(content[at], byte);
}

static void a_request_is_read(void **state)
{
	(void)state;
	add_request();
	assert_true(opens());
	assert_int_equal(f.role, FCGI_RESPONDER);
	assert_whole();
	finish();
}

static void its_streams_may_come_byte_by_byte(void **state)
{
	(void)state;
	add_begin(0xffff, FCGI_AUTHORIZER);
	for (size_t i = 0; i < PAIRS.len; i++)
		add_record(4, 0xffff, (struct text){ PAIRS.data + i, 1 }, i % 9);
	add_record(4, 0xffff, TEXT_OF(""), 8);
	for (size_t i = 0; i < BODY.len; i++)
		add_record(5, 0xffff, (struct text){ BODY.data + i, 1 }, i % 9);
	add_record(5, 0xffff, TEXT_OF(""), 0);
	assert_true(opens());
	assert_int_equal(f.role, FCGI_AUTHORIZER);
	assert_whole();
	finish();
}

/* With libfcgi the fourth name ends the process, or worse. */
static void many_names_in_get_values_overflow_nothing(void **state)
{
	static char names[40 * 17];

	(void)state;
	for (size_t i = 0; i < 40; i++)
		memcpy(names + 17 * i, "\17\0FCGI_MAX_CONNS_", 17);
	add_record(9, 0, (struct text){ names, sizeof(names) }, 3);
	add_begin(1, FCGI_RESPONDER);
	add_record(9, 0, (struct text){ names, sizeof(names) }, 0);
	add_record(4, 1, PAIRS, 0);
	add_record(4, 1, TEXT_OF(""), 0);
	add_record(5, 1, (struct text){ BODY.data, 3 }, 0);
	add_record(9, 0, (struct text){ names, sizeof(names) }, 0);
	add_record(5, 1, (struct text){ BODY.data + 3, BODY.len - 3 }, 0);
	add_record(5, 1, TEXT_OF(""), 0);
	assert_true(opens());
	assert_whole();
	for (size_t i = 0; i < 3; i++)
		assert_told(10, 0, 0, 0);
	finish();
}

static void an_unknown_management_record_is_called_so(void **state)
{
	(void)state;
	add_record(77, 0, TEXT_OF("something"), 0);
	add_request();
	assert_true(opens());
	assert_whole();
	assert_told(11, 0, 0, 77);
	finish();
}

static void an_unknown_role_is_told_so(void **state)
{
	static const unsigned roles[] = { 0, 3, 4, 257, 0xffff };

	(void)state;
	for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++) {
		add_begin(7, roles[i]);
		assert_false(opens());
		assert_told(3, 7, 4, 3);
		finish();
	}
}

static void a_second_request_is_refused_and_the_first_served(void **state)
{
	(void)state;
	add_begin(1, FCGI_RESPONDER);
	add_begin(2, FCGI_RESPONDER);
	add_record(4, 2, TEXT_OF("\1\1ZZ"), 0);
	add_record(4, 1, PAIRS, 0);
	add_record(5, 2, TEXT_OF("another's body"), 0);
	add_record(4, 1, TEXT_OF(""), 0);
	add_record(5, 2, TEXT_OF(""), 0);
	add_record(5, 1, BODY, 0);
	add_record(2, 2, TEXT_OF(""), 0);
	add_record(5, 1, TEXT_OF(""), 0);
	assert_true(opens());
	assert_whole();
	assert_told(3, 2, 4, 1);
	finish();
}

/* Wherever it ends: no request, or one whose body is known to be incomplete. */
static void a_request_that_is_cut_anywhere_is_not_taken_for_whole(void **state)
{
	char body[64];
	size_t whole, len;

	(void)state;
	add_request();
	whole = sent_len;
	for (size_t cut = 0; cut < whole; cut++) {
		sent_len = cut;
		if (opens()) {
			assert_variables(the_pairs);
			assert_false(read_all(body, &len, sizeof(body)));
			assert_int_equal(fcgi_read(&f, body, 1), -1);
		}
		finish();
	}
}

static void an_abort_ends_it(void **state)
{
	char body[64];
	size_t len;

	(void)state;
	add_begin(1, FCGI_RESPONDER);
	add_record(4, 1, PAIRS, 0);
	add_record(2, 1, TEXT_OF(""), 0);
	add_record(4, 1, TEXT_OF(""), 0);
	assert_false(opens());
	finish();
	add_begin(1, FCGI_RESPONDER);
	add_record(4, 1, PAIRS, 0);
	add_record(4, 1, TEXT_OF(""), 0);
	add_record(5, 1, BODY, 0);
	add_record(2, 1, TEXT_OF(""), 0);
	add_record(5, 1, TEXT_OF(""), 0);
	assert_true(opens());
	assert_false(read_all(body, &len, sizeof(body)));
	finish();
}

static void lengths_that_lie_are_refused(void **state)
{
	static const struct text lies[] = {
		{ "\1", 1 },
		{ "\5\1AB", 4 },
		{ "\1\4ABC", 5 },
		{ "\x80\0\0", 3 },
		{ "\x80\0\0\1\x80\0\0\2AB", 10 },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff", 8 },
		{ "\xff\xff\xff\xfe\xff\xff\xff\xfe" "A", 9 },
		{ "\xff\xff\xff\xff\1AB", 7 },
		{ "\1\xff\xff\xff\xff" "AB", 7 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
		add_begin(1, FCGI_RESPONDER);
		add_record(4, 1, lies[i], 0);
		add_record(4, 1, TEXT_OF(""), 0);
		assert_false(opens());
		finish();
	}
	/* Their neighbour: four bytes, and true. */
	add_begin(1, FCGI_RESPONDER);
	add_record(4, 1, TEXT_OF("\x80\0\0\1\x80\0\0\2ABC"), 0);
	add_record(4, 1, TEXT_OF(""), 0);
	assert_true(opens());
	assert_variables((const char *const[]){ "A=BC", NULL });
	finish();
}

static void parameters_have_a_limit(void **state)
{
	static char pair[60004] = "\x80\0\xea\x5e\0";

	(void)state;
	memset(pair + 5, 'x', sizeof(pair) - 5);
	pair[2] = (char)((sizeof(pair) - 5) >> 8);
	pair[3] = (char)(sizeof(pair) - 5);
	for (unsigned count = 4; count <= 5; count++) {
		add_begin(1, FCGI_RESPONDER);
		for (unsigned i = 0; i < count; i++)
			add_record(4, 1, (struct text){ pair, sizeof(pair) }, 0);
		add_record(4, 1, TEXT_OF(""), 0);
		assert_int_equal(opens(), count * sizeof(pair) <= FCGI_PARAMS_MAX);
		finish();
	}
}

static void many_parameters_are_all_there(void **state)
{
	static char pairs[3 * 20000];

	(void)state;
	for (size_t i = 0; i < sizeof(pairs); i += 3)
		memcpy(pairs + i, "\1\0N", 3);
	add_begin(1, FCGI_RESPONDER);
	add_record(4, 1, (struct text){ pairs, sizeof(pairs) }, 0);
	add_record(4, 1, TEXT_OF(""), 0);
	assert_true(opens());
	for (size_t i = 0; i < 20000; i++)
		assert_string_equal(f.variables[i], "N=");
	assert_null(f.variables[20000]);
	finish();
}

/* "A=B" with "C" would read as "A" with "B=C"; a NUL would end a value early. */
static void what_could_pass_for_another_variable_is_left_out(void **state)
{
	(void)state;
	add_begin(1, FCGI_RESPONDER);
	add_record(4, 1, TEXT_OF("\3\1A=BC\1\3BX\0Y\3\1C\0D1\0\1Z\1\1GH"), 0);
	add_record(4, 1, TEXT_OF(""), 0);
	assert_true(opens());
	assert_variables((const char *const[]){ "G=H", NULL });
	finish();
}

static void what_is_no_fastcgi_is_nothing(void **state)
{
	static const struct text noise[] = {
		{ "GET / HTTP/1.1\r\n\r\n", 18 },
		{ "\0\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0", 16 }, /* version 0 */
		{ "\2\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0", 16 },
		{ "\1\1\0\0\0\10\0\0\0\1\0\0\0\0\0\0", 16 }, /* no request has the id 0 */
		{ "\1\1\0\1\0\7\1\0\0\1\0\0\0\0\0\0", 16 },  /* a short beginning */
		{ "\1\4\0\1\0\0\0\0", 8 },		     /* parameters of nothing */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(noise) / sizeof(*noise); i++) {
		add(noise[i].data, noise[i].len);
		assert_false(opens());
		finish();
	}
}

static void a_long_answer_is_sent_in_records(void **state)
{
	static char long_one[150000], got[160000];
	const int size = 1 << 20;
	size_t at = 0, len = 0;
	ssize_t n;

	(void)state;
	memset(long_one, 'x', sizeof(long_one));
	add_request();
	assert_true(opens());
	assert_whole();
	setsockopt(f.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	fcgi_answer(&f, (struct text){ long_one, sizeof(long_one) });
	fcgi_close(&f);
	while ((n = read(peer, got + len, sizeof(got) - len)) > 0)
		len += (size_t)n;
	for (size_t left = sizeof(long_one); left;) {
		const unsigned char *h = (const unsigned char *)got + at;
		const size_t record = (size_t)h[4] << 8 | h[5];

		assert_int_equal(h[1], 6);
		assert_true(record && record <= left);
		assert_memory_equal(got + at + 8, long_one, record);
		at += 8 + record;
		left -= record;
	}
	assert_int_equal(len - at, 24); /* the end of the stream, and of the request */
	assert_int_equal(got[at + 1], 6);
	assert_int_equal(got[at + 9], 3);
	close(peer);
	arena_reset(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_read),
		cmocka_unit_test(its_streams_may_come_byte_by_byte),
		cmocka_unit_test(many_names_in_get_values_overflow_nothing),
		cmocka_unit_test(an_unknown_management_record_is_called_so),
		cmocka_unit_test(an_unknown_role_is_told_so),
		cmocka_unit_test(a_second_request_is_refused_and_the_first_served),
		cmocka_unit_test(a_request_that_is_cut_anywhere_is_not_taken_for_whole),
		cmocka_unit_test(an_abort_ends_it),
		cmocka_unit_test(lengths_that_lie_are_refused),
		cmocka_unit_test(parameters_have_a_limit),
		cmocka_unit_test(many_parameters_are_all_there),
		cmocka_unit_test(what_could_pass_for_another_variable_is_left_out),
		cmocka_unit_test(what_is_no_fastcgi_is_nothing),
		cmocka_unit_test(a_long_answer_is_sent_in_records),
	};
	int failed;

	signal(SIGPIPE, SIG_IGN);
	arena = arena_new();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(arena);
	return failed;
}
