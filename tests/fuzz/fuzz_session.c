/* Any requests to a whole daemon behind one connection: the door, the session, the writer, the readers and a database in memory.
 * The first byte chooses who logs in, the second how the rest is sent: as it is, or in pieces (each two bytes of length and a body)
 * that are framed here, so that the fuzzer need not count. Every answer must be a whole frame and a message. The database is
 * begun anew after so many connections. */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "fuzz.h"
#include "gridloop.pb-c.h"
#include "intake/tcp.h"
#include "net/frame.h"

#define LIVES_MOST 2000 /* connections to one database */
#define TURNS_MOST 20000
#define FRAME_MOST 32768
#define ANSWERS_MOST (1 << 20)

static const char *const people[] = { "resident-01", "rider-platform", "acceptor-01", "dispatcher-01",  "supervisor-01",
	                              "worker-01",   "sanitation-01",  "operator-01", "cameras-police", "station-01" };

static struct {
	char folder[128], path[160];
	const struct policy *policy;
	struct event_base *base;
	struct engine *engine;
	struct event *wake;
	struct tcp_door *door;
	int lives;
	uint8_t answers[ANSWERS_MOST];
} house;

static void on_wake(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	(void)ctx;
	engine_drain(house.engine);
}

static void on_failure(void *ctx, int code)
{
	(void)ctx;
	(void)code;
	must_not_happen(__FILE__, __LINE__, "the writer ended");
}

static void open_house(void)
{
	static const char *const addresses[] = { "127.0.0.1:0" };
	struct engine_options e = { .store = { .path = house.path, .checkpoint_frames = 1000 },
		                    .policy = house.policy,
		                    .clock = clock_system(),
		                    .replay_clock = 1,
		                    .queue_most = 256,
		                    .batch_most = 64,
		                    .readers = 1,
		                    .queries_most = 32 };
	struct tcp_door_options d = { .addresses = addresses,
		                      .address_count = 1,
		                      .plain_count = 1,
		                      .connections_most = 8,
		                      .frame_most = FRAME_MOST,
		                      .inflight_most = 32,
		                      .output_most = 1 << 19,
		                      .login_ms = 10000,
		                      .idle_ms = 10000,
		                      .replay_clock = 1 };
	char *cause = NULL;

	house.engine = engine_new(&e, &cause);
	must(house.engine != NULL);
	engine_on_failure(house.engine, on_failure, NULL);
	house.door = tcp_door_new(house.base, house.engine, &d, &cause);
	must(house.door != NULL);
	house.wake = event_new(house.base, engine_fd(house.engine), EV_READ | EV_PERSIST, on_wake, NULL);
	must(house.wake != NULL && event_add(house.wake, NULL) == 0);
}

static void close_house(void)
{
	static const char *const endings[] = { "", "-wal", "-shm", ".lock" };
	char name[200];

	tcp_door_stop(house.door);
	event_free(house.wake);
	engine_free(house.engine);
	tcp_door_free(house.door);
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		snprintf(name, sizeof name, "%s%s", house.path, endings[i]);
		(void)unlink(name);
	}
	house.lives = 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct problems p = { 0 };

	(void)argc;
	(void)argv;
	fuzz_begin(house.folder);
	snprintf(house.path, sizeof house.path, "%s/street.db", house.folder);
	house.policy = policy_load("config/jurisdiction", &p);
	house.base = event_base_new();
	must(house.policy != NULL && house.base != NULL);
	open_house();
	return 0;
}

/* ---- one connection ---- */

static int connected(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		                  .sin_port = htons((uint16_t)tcp_door_port(house.door, 0)),
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct linger at_once = { 1, 0 }; /* closing resets, so that no port waits */
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	must(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
	must(connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
	return fd;
}

static void send_all(int fd, const uint8_t *bytes, size_t length)
{
	while (length > 0) {
		ssize_t n = send(fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno != EAGAIN)
			return; /* cut off */
		if (n < 0 && event_base_loop(house.base, EVLOOP_ONCE) < 0)
			return;
		if (n > 0) {
			bytes += n;
			length -= (size_t)n;
		}
	}
}

static void send_framed(int fd, const uint8_t *body, size_t length)
{
	uint8_t head[FRAME_HEAD_MOST];

	send_all(fd, head, frame_head(head, length));
	send_all(fd, body, length);
}

static void log_in(int fd, const char *who)
{
	Gridloop__V1__ClientFrame f = GRIDLOOP__V1__CLIENT_FRAME__INIT;
	Gridloop__V1__Login login = GRIDLOOP__V1__LOGIN__INIT;
	uint8_t bytes[256];
	char token[64];

	snprintf(token, sizeof token, "demo-%s", who);
	login.who = (ProtobufCBinaryData){ strlen(who), (uint8_t *)(uintptr_t)who };
	login.token = (ProtobufCBinaryData){ strlen(token), (uint8_t *)token };
	f.seq = 1;
	f.body_case = GRIDLOOP__V1__CLIENT_FRAME__BODY_LOGIN;
	f.login = &login;
	send_framed(fd, bytes, gridloop__v1__client_frame__pack(&f, bytes));
}

static void send_pieces(int fd, const uint8_t *bytes, size_t length)
{
	while (length >= 2) {
		size_t piece = (size_t)bytes[0] | (size_t)bytes[1] << 8;

		bytes += 2;
		length -= 2;
		piece = piece < length ? piece : length;
		send_framed(fd, bytes, piece);
		bytes += piece;
		length -= piece;
	}
}

/* Until the connection, which was accepted after `before` others, is over at both ends. */
static size_t hear(int fd, int64_t before)
{
	struct tcp_door_counts c;
	size_t heard = 0;

	for (int turn = 0; turn < TURNS_MOST; turn++) {
		ssize_t n = recv(fd, house.answers + heard, sizeof house.answers - heard, MSG_DONTWAIT);

		if (n > 0) {
			heard += (size_t)n;
			must(heard < sizeof house.answers);
			continue;
		}
		tcp_door_counts(house.door, &c);
		if (n == 0 || (c.accepted > before && c.connections == 0))
			break;
		must(event_base_loop(house.base, EVLOOP_ONCE) >= 0);
	}
	return heard;
}

/* A connection that is cut may leave a part behind. */
static void answers_hold(size_t heard)
{
	struct frame f;
	size_t used = 0;

	while (frame_next(house.answers + used, heard - used, FRAME_MOST, &f) == FRAME_WHOLE) {
		Gridloop__V1__ServerFrame *m = gridloop__v1__server_frame__unpack(NULL, f.length, f.body);

		must(m != NULL && m->body_case != GRIDLOOP__V1__SERVER_FRAME__BODY__NOT_SET);
#ifdef PLANTED
		must(m->body_case != GRIDLOOP__V1__SERVER_FRAME__BODY_ANSWER);
#endif
		gridloop__v1__server_frame__free_unpacked(m, NULL);
		used += f.whole;
	}
	must(heard - used <= FRAME_MOST + FRAME_HEAD_MOST);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (length < 2 || length > 200000)
		return 0;
	if (++house.lives > LIVES_MOST) {
		close_house();
		open_house();
	}

	struct tcp_door_counts before;
	int fd = connected();

	tcp_door_counts(house.door, &before);

	if (bytes[0] % 16 < sizeof people / sizeof *people)
		log_in(fd, people[bytes[0] % 16]);
	if (bytes[1] & 1)
		send_all(fd, bytes + 2, length - 2);
	else
		send_pieces(fd, bytes + 2, length - 2);
	(void)shutdown(fd, SHUT_WR);
	answers_hold(hear(fd, before.accepted));
	(void)close(fd);
	tcp_door_counts(house.door, &before);
	for (int turn = 0; turn < TURNS_MOST && (before.connections > 0 || !tcp_door_idle(house.door)); turn++) {
		must(event_base_loop(house.base, EVLOOP_ONCE) >= 0);
		tcp_door_counts(house.door, &before);
	}
	return 0;
}
