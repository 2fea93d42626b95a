/* Listening sockets that a service manager hands over: which are taken, for which door, and what is said of others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "serve/sockets.h"

#define FIRST 3 /* the protocol's first descriptor */
#define GIVEN_MOST 4

struct stand {
	struct sockets sockets;
	struct config config;
	int given;
	char *cause;
};

/* As the manager leaves it to the program it starts. */
static void hand_over(struct stand *s, int fd, const char *names)
{
	char text[32];

	if (fd != FIRST + s->given) {
		must(dup2(fd, FIRST + s->given) != -1);
		must(close(fd) == 0);
	}
	s->given++;
	snprintf(text, sizeof text, "%d", s->given);
	must(setenv("LISTEN_FDS", text, 1) == 0 && setenv("LISTEN_FDNAMES", names, 1) == 0);
	snprintf(text, sizeof text, "%d", (int)getpid());
	must(setenv("LISTEN_PID", text, 1) == 0);
}

static int listening_at(const char *host, int family)
{
	struct sockaddr_in four = { .sin_family = AF_INET };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	int fd = socket(family, SOCK_STREAM, 0);

	must(fd != -1);
	if (family == AF_INET)
		must(inet_pton(family, host, &four.sin_addr) == 1 && bind(fd, (void *)&four, sizeof four) == 0);
	else
		must(inet_pton(family, host, &six.sin6_addr) == 1 && bind(fd, (void *)&six, sizeof six) == 0);
	must(listen(fd, 1) == 0);
	return fd;
}

static int open_stand(void **state)
{
	struct stand *s = must_calloc(1, sizeof *s);

	s->config.listen = must_strdup("127.0.0.1:7311");
	s->config.listen_tls = must_strdup("");
	for (int fd = FIRST; fd < FIRST + GIVEN_MOST; fd++)
		(void)close(fd);
	*state = s;
	return 0;
}

static int close_stand(void **state)
{
	struct stand *s = *state;

	for (int i = 0; i < s->given; i++)
		(void)close(FIRST + i);
	must(unsetenv("LISTEN_FDS") == 0 && unsetenv("LISTEN_PID") == 0 && unsetenv("LISTEN_FDNAMES") == 0);
	free(s->config.listen);
	free(s->config.listen_tls);
	free(s->cause);
	free(s);
	return 0;
}

static void check_refused(struct stand *s, const char *part)
{
	assert_false(sockets_take(&s->sockets, &s->config, &s->cause));
	if (!strstr(s->cause, part))
		fail_msg("\"%s\" does not say \"%s\"", s->cause, part);
}

static void test_none_came(void **state)
{
	struct stand *s = *state;
	int fds[4];

	assert_true(sockets_take(&s->sockets, &s->config, &s->cause));
	assert_int_equal(s->sockets.count, 0);
	assert_int_equal(sockets_named(&s->sockets, SOCKETS_TCP, fds, 4), 0);
}

static void test_those_of_a_parent_are_left_alone(void **state)
{
	struct stand *s = *state;

	hand_over(s, listening_at("127.0.0.1", AF_INET), "tcp");
	must(setenv("LISTEN_PID", "1", 1) == 0);
	assert_true(sockets_take(&s->sockets, &s->config, &s->cause));
	assert_int_equal(s->sockets.count, 0);
}

static void test_taken_by_name(void **state)
{
	struct stand *s = *state;
	int fds[4] = { 0 };

	hand_over(s, listening_at("127.0.0.1", AF_INET), "tcp");
	hand_over(s, listening_at("::1", AF_INET6), "tcp:tcp");
	assert_true(sockets_take(&s->sockets, &s->config, &s->cause));
	assert_int_equal(sockets_named(&s->sockets, SOCKETS_TCP, fds, 4), 2);
	assert_int_equal(fds[0], FIRST);
	assert_int_equal(fds[1], FIRST + 1);
	assert_true(fcntl(fds[1], F_GETFD) & FD_CLOEXEC);
	assert_int_equal(sockets_named(&s->sockets, SOCKETS_TCP, fds, 1), 1);
	assert_int_equal(sockets_named(&s->sockets, "http", fds, 4), 0);
}

static void test_one_for_tls_needs_the_certificate(void **state)
{
	struct stand *s = *state;
	int fds[4];

	hand_over(s, listening_at("0.0.0.0", AF_INET), "tls");
	check_refused(s, "as \"tls\"; expected listen_tls");
	free(s->cause);
	s->cause = NULL;
	free(s->config.listen_tls);
	s->config.listen_tls = must_strdup(":7312");
	/* What is encrypted may be anywhere. */
	assert_true(sockets_take(&s->sockets, &s->config, &s->cause));
	assert_int_equal(sockets_named(&s->sockets, SOCKETS_TLS, fds, 4), 1);
	assert_int_equal(sockets_named(&s->sockets, SOCKETS_TCP, fds, 4), 0);
}

static void test_names_no_door_has(void **state)
{
	struct stand *s = *state;

	hand_over(s, listening_at("127.0.0.1", AF_INET), "tcp");
	hand_over(s, listening_at("127.0.0.1", AF_INET), "tcp:telnet");
	check_refused(s, "under the name \"telnet\"; expected FileDescriptorName=");
}

static void test_fewer_names_than_sockets(void **state)
{
	struct stand *s = *state;

	hand_over(s, listening_at("127.0.0.1", AF_INET), "tcp");
	hand_over(s, listening_at("127.0.0.1", AF_INET), "tcp");
	check_refused(s, "under the name \"unknown\"");
}

static void test_what_is_no_listening_stream(void **state)
{
	struct stand *s = *state;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	must(fd != -1);
	hand_over(s, fd, "tcp");
	check_refused(s, "no listening stream socket; expected ListenStream=");
}

static void test_no_socket_at_all(void **state)
{
	struct stand *s = *state;

	hand_over(s, open("/dev/null", O_RDONLY), "tcp");
	check_refused(s, "no listening stream socket");
}

static void test_more_than_there_can_be(void **state)
{
	struct stand *s = *state;

	hand_over(s, listening_at("127.0.0.1", AF_INET), "tcp");
	must(setenv("LISTEN_FDS", "9223372036854775807", 1) == 0);
	check_refused(s, "expected at most");
}

static void test_a_network_is_asked_for(void **state)
{
	struct stand *s = *state;

	hand_over(s, listening_at("0.0.0.0", AF_INET), "tcp");
	check_refused(s, "not loopback; expected loopback in its socket unit, or listen_remote = yes");
	s->config.listen_remote = 1;
	assert_true(sockets_take(&s->sockets, &s->config, &s->cause));
}

static void test_every_ipv6_address_is_a_network(void **state)
{
	struct stand *s = *state;

	hand_over(s, listening_at("::", AF_INET6), "tcp");
	check_refused(s, "handed over [::]:");
}

static void test_a_path_is_local(void **state)
{
	struct stand *s = *state;
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char text[SOCKETS_TEXT_SIZE], expected[64];

	/* A name of the abstract kind, so that no file is left. */
	snprintf(at.sun_path + 1, sizeof at.sun_path - 1, "gridloop-%d", (int)getpid());
	snprintf(expected, sizeof expected, "unix:@gridloop-%d", (int)getpid());
	must(fd != -1 && bind(fd, (void *)&at, sizeof at) == 0 && listen(fd, 1) == 0);
	hand_over(s, fd, "tcp");
	assert_true(sockets_take(&s->sockets, &s->config, &s->cause));
	sockets_text(FIRST, text, sizeof text);
	assert_string_equal(text, expected);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_none_came, open_stand, close_stand),
		cmocka_unit_test_setup_teardown(test_those_of_a_parent_are_left_alone, open_stand, close_stand),
		cmocka_unit_test_setup_teardown(test_taken_by_name, open_stand, close_stand),
		cmocka_unit_test_setup_teardown(test_one_for_tls_needs_the_certificate, open_stand, close_stand),
		cmocka_unit_test_setup_teardown(test_names_no_door_has, open_stand, close_stand),
		cmocka_unit_test_setup_teardown(test_fewer_names_than_sockets, open_stand, close_stand),
		cmocka_unit_test_setup_teardown(test_what_is_no_listening_stream, open_stand, close_stand),
		cmocka_unit_test_setup_teardown(test_no_socket_at_all, open_stand, close_stand),
		cmocka_unit_test_setup_teardown(test_more_than_there_can_be, open_stand, close_stand),
		cmocka_unit_test_setup_teardown(test_a_network_is_asked_for, open_stand, close_stand),
		cmocka_unit_test_setup_teardown(test_every_ipv6_address_is_a_network, open_stand, close_stand),
		cmocka_unit_test_setup_teardown(test_a_path_is_local, open_stand, close_stand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
