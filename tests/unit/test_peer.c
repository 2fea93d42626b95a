#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/peer.h"

static struct peer at(const char *text)
{
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(40000) };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(40000) };

	if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
		return peer_from((const struct sockaddr *)&four);
	assert_int_equal(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
	return peer_from((const struct sockaddr *)&six);
}

static void an_address_has_one_name(void **state)
{
	static const struct {
		const char *given, *text;
		_Bool local;
	} rows[] = {
		{ "192.0.2.7", "192.0.2.7", 0 },
		{ "::ffff:192.0.2.7", "192.0.2.7", 0 },
		{ "255.255.255.255", "255.255.255.255", 0 },
		{ "126.255.255.255", "126.255.255.255", 0 },
		{ "127.0.0.1", "127.0.0.1", 1 },
		{ "127.255.0.9", "127.255.0.9", 1 },
		{ "::ffff:127.0.0.2", "127.0.0.2", 1 },
		{ "::1", "127.0.0.1", 1 },
		{ "::2", "::/64", 0 },
		{ "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", 0 },
		{ "2001:db8:1:3:3:4:5:6", "2001:db8:1:3::/64", 0 },
		{ "fe80::1", "fe80::/64", 0 },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff::/64", 0 },
	};
	char text[PEER_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		peer_text(at(rows[i].given), text);
		assert_string_equal(text, rows[i].text);
		assert_int_equal(peer_is_local(at(rows[i].given)), rows[i].local);
	}
}

static void one_household_is_one_peer(void **state)
{
	(void)state;
	assert_true(peer_same(at("2001:db8::1"), at("2001:db8::ffff:1")));
	assert_false(peer_same(at("2001:db8::1"), at("2001:db8:0:1::1")));
	assert_true(peer_same(at("192.0.2.7"), at("::ffff:192.0.2.7")));
	assert_false(peer_same(at("192.0.2.7"), at("192.0.2.8")));
	/* The same number in two families. */
	assert_false(peer_same(at("0.0.0.0"), at("::2")));
}

static void what_has_no_address_is_named_all_the_same(void **state)
{
	char text[PEER_TEXT_SIZE];
	int pair[2], lonely = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	peer_text(peer_of(pair[0]), text);
	assert_string_equal(text, "unix");
	assert_true(peer_is_local(peer_of(pair[0])));
	peer_text(peer_of(lonely), text);
	assert_string_equal(text, "unknown");
	assert_false(peer_is_local(peer_of(lonely)));
	assert_int_equal(peer_of(-1).kind, PEER_UNKNOWN);
	close(pair[0]);
	close(pair[1]);
	close(lonely);
}

static void the_kernel_is_asked(void **state)
{
	struct sockaddr_in6 here = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT };
	struct sockaddr_in there = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t length = sizeof here;
	int listening = socket(AF_INET6, SOCK_STREAM, 0), calling = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	if (listening == -1)
		skip(); /* a kernel without IPv6 */
	assert_int_equal(bind(listening, (struct sockaddr *)&here, sizeof here), 0);
	assert_int_equal(listen(listening, 1), 0);
	assert_int_equal(getsockname(listening, (struct sockaddr *)&here, &length), 0);
	there.sin_port = here.sin6_port;
	assert_int_equal(connect(calling, (struct sockaddr *)&there, sizeof there), 0);

	int taken = accept(listening, NULL, NULL);

	/* IPv4 through a socket of both. */
	assert_true(peer_same(peer_of(taken), at("127.0.0.1")));
	close(taken);
	close(calling);
	close(listening);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_has_one_name),
		cmocka_unit_test(one_household_is_one_peer),
		cmocka_unit_test(what_has_no_address_is_named_all_the_same),
		cmocka_unit_test(the_kernel_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
