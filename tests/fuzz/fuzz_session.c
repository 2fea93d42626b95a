/* Any requests to a whole daemon: the door, its sessions, the writer, the readers, evidence and a database in memory. An input is
 * one connection after another. Each begins with two bytes: who logs in, and how the rest is sent: as it is, to the input's
 * end, or in pieces (each two bytes of length and a body) that are framed here, so that the fuzzer need not count; a length
 * of NEXT_CONNECTION ends it. An input may ask for a database of its own, so that a case's number is known beforehand;
 * the others share one for so many connections. Every answer must be a whole frame and a message. At the end it says
 * which answers came and which acts stand in the databases, for that tells how deep it got. */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <ftw.h>
#include <poll.h>
#include <sanitizer/lsan_interface.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "fuzz.h"
#include "gridloop.pb-c.h"
#include "intake/tcp.h"
#include "net/frame.h"
#include "workflow/domain.h"

#define LIVES_MOST 2000 /* connections to one database */
#define TURNS_MOST 20000
#define CONNECTIONS_MOST 64 /* of one input */
#define NEXT_CONNECTION 0xFFFF
#define KINDS_MOST 128 /* of answers, by the number of their field */
#define FRAME_MOST 32768
#define ANSWERS_MOST (1 << 20)
#define HOUSES_A_LOOK 32 /* a look for leaks takes as long as many inputs */

static const char *const people[] = { "resident-01",     "rider-platform", "acceptor-01",   "dispatcher-01",
	                              "supervisor-01",   "worker-01",      "sanitation-01", "operator-01",
	                              "cameras-police",  "station-01",     "police-01",     "administrator-01",
	                              "convener-street", "enforcement-01" };

/* The second byte of a connection. */
enum manner { RAW = 1, OWN_DATABASE = 2 };

static struct {
	char folder[128], path[160], evidence[160];
	const struct policy *policy;
	struct event_base *base;
	struct engine *engine;
	struct event *wake;
	struct tcp_door *door;
	int lives, closed;
	int64_t answered[KINDS_MOST], acts[ACT_COUNT];
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

/* What a folder of files does is fuzz_files's matter. */
static const struct policy *load_again(void *ctx, struct problems *p)
{
	(void)ctx;
	(void)p;
	return policy_hold(house.policy);
}

static void open_house(void)
{
	static const char *const addresses[] = { "127.0.0.1:0" };
	struct engine_options e = { .store = { .path = house.path, .checkpoint_frames = 1000 },
		                    .evidence = house.evidence,
		                    .evidence_limits = { .image_most = 1 << 20,
		                                         .clip_most = 1 << 21,
		                                         .day_most = 1 << 22,
		                                         .gateway_day_most = 1 << 22,
		                                         .partials_most = 4,
		                                         .total_most = 1 << 24,
		                                         .partial_keep_ms = 3600000,
		                                         .unnamed_keep_ms = 86400000 },
		                    .file_jobs_most = 16,
		                    .policy = house.policy,
		                    .reload = { .load = load_again },
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

	must(mkdir(house.evidence, 0700) == 0);
	house.engine = engine_new(&e, &cause);
	must(house.engine != NULL);
	engine_on_failure(house.engine, on_failure, NULL);
	house.door = tcp_door_new(house.base, house.engine, &d, &cause);
	must(house.door != NULL);
	house.wake = event_new(house.base, engine_fd(house.engine), EV_READ | EV_PERSIST, on_wake, NULL);
	must(house.wake != NULL && event_add(house.wake, NULL) == 0);
}

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *at)
{
	(void)about;
	(void)type;
	(void)at;
	return remove(path);
}

static void count_acts(void)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;

	must(sqlite3_open_v2(house.path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK);
	must(sqlite3_prepare_v2(db, "SELECT act, count(*) FROM case_event GROUP BY act", -1, &st, NULL) == SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW)
		house.acts[sqlite3_column_int(st, 0)] += sqlite3_column_int64(st, 1);
	sqlite3_finalize(st);
	sqlite3_close(db);
}

static void close_house(void)
{
	static const char *const endings[] = { "", "-wal", "-shm", ".lock" };
	char name[200];

	tcp_door_stop(house.door);
	while (!engine_idle(house.engine))
		must(event_base_loop(house.base, EVLOOP_ONCE) >= 0);
	event_free(house.wake);
	engine_free(house.engine);
	tcp_door_free(house.door);
	count_acts();
	must(nftw(house.evidence, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0);
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		snprintf(name, sizeof name, "%s%s", house.path, endings[i]);
		(void)unlink(name);
	}
	house.lives = 0;
}

static void tell(void)
{
	const ProtobufCMessageDescriptor *answers = &gridloop__v1__server_frame__descriptor;

	count_acts();
	fputs("answers:", stderr);
	for (unsigned i = 0; i < answers->n_fields; i++)
		if (answers->fields[i].id < KINDS_MOST && house.answered[answers->fields[i].id] > 0)
			fprintf(stderr, " %s %lld", answers->fields[i].name,
			        (long long)house.answered[answers->fields[i].id]);
	fputs("\nacts:", stderr);
	for (int act = 0; act < ACT_COUNT; act++)
		if (house.acts[act] > 0)
			fprintf(stderr, " %s %lld", act_info((enum act)act)->name, (long long)house.acts[act]);
	fputs("\n", stderr);
}

/* The sample's has no token: on a real machine a first credential is made by its own user. */
static void let_the_administrator_in(void)
{
	static char hex[DIGEST_TEXT_SIZE];
	static const char token[] = "demo-administrator-01";
	struct person *p = (struct person *)(uintptr_t)policy_person(house.policy, "administrator-01");
	struct digester *d = digester_new();
	uint8_t digest[DIGEST_SIZE];

	must(p != NULL);
	digest_begin(d);
	digest_add(d, token, sizeof token - 1);
	digest_end(d, digest);
	digest_text(digest, hex);
	digester_free(d);
	p->token_sha256 = hex;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct problems p = { 0 };

	(void)argc;
	(void)argv;
	fuzz_begin(house.folder);
	snprintf(house.path, sizeof house.path, "%s/street.db", house.folder);
	snprintf(house.evidence, sizeof house.evidence, "%s/evidence", house.folder);
	house.policy = policy_load("config/jurisdiction", &p);
	house.base = event_base_new();
	must(house.policy != NULL && house.base != NULL);
	let_the_administrator_in();
	open_house();
	return atexit(tell);
}

/* ---- one connection ---- */

/* libFuzzer's timer interrupts us every few seconds; a connection that is being made then goes on being made. */
static bool connect_made(int fd, const struct sockaddr_in *to)
{
	struct pollfd wait = { .fd = fd, .events = POLLOUT };
	int error = 0;
	socklen_t size = sizeof error;

	if (connect(fd, (const struct sockaddr *)to, sizeof *to) == 0)
		return true;
	if (errno != EINTR)
		return false;
	while (poll(&wait, 1, -1) < 0)
		if (errno != EINTR)
			return false;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

static int connected(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		                  .sin_port = htons((uint16_t)tcp_door_port(house.door, 0)),
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	/* An address of its own: whoever runs beside it may have taken all the ports of the usual one. */
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + (77 << 16)) };
	struct linger at_once = { 1, 0 }; /* closing resets, so that no port waits */
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	must(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
	must(bind(fd, (struct sockaddr *)&from, sizeof from) == 0);
	must(connect_made(fd, &to));
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

/* What is left of the input. */
static size_t send_pieces(int fd, const uint8_t *bytes, size_t length)
{
	while (length >= 2) {
		size_t piece = (size_t)bytes[0] | (size_t)bytes[1] << 8;

		bytes += 2;
		length -= 2;
		if (piece == NEXT_CONNECTION)
			return length;
		piece = piece < length ? piece : length;
		send_framed(fd, bytes, piece);
		bytes += piece;
		length -= piece;
	}
	return 0;
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
		if (m->body_case < KINDS_MOST)
			house.answered[m->body_case]++;
#ifdef PLANTED
		must(m->body_case != GRIDLOOP__V1__SERVER_FRAME__BODY_ANSWER);
#endif
		gridloop__v1__server_frame__free_unpacked(m, NULL);
		used += f.whole;
	}
	must(heard - used <= FRAME_MOST + FRAME_HEAD_MOST);
}

/* Until nothing of the connection is under way. */
static void settle(void)
{
	struct tcp_door_counts c;

	tcp_door_counts(house.door, &c);
	for (int turn = 0; turn < TURNS_MOST && (c.connections > 0 || !tcp_door_idle(house.door)); turn++) {
		must(event_base_loop(house.base, EVLOOP_ONCE) >= 0);
		tcp_door_counts(house.door, &c);
	}
}

/* One connection; what is left of the input for the next ones. */
static size_t live(const uint8_t *bytes, size_t length)
{
	struct tcp_door_counts before;
	size_t left = 0;
	int fd = connected();

	tcp_door_counts(house.door, &before);
	if (bytes[0] % 16 < sizeof people / sizeof *people)
		log_in(fd, people[bytes[0] % 16]);
	if (bytes[1] & RAW)
		send_all(fd, bytes + 2, length - 2);
	else
		left = send_pieces(fd, bytes + 2, length - 2);
	(void)shutdown(fd, SHUT_WR);
	answers_hold(hear(fd, before.accepted));
	(void)close(fd);
	settle();
	return left;
}

/* Between one house and the next there is no thread. libFuzzer would look after any input: it takes for lost what only a
 * thread knows that is just beginning or ending. */
static void look_for_leaks(void)
{
	if (house.closed++ % HOUSES_A_LOOK == 0)
		must(__lsan_do_recoverable_leak_check() == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (length < 2 || length > 200000)
		return 0;
	if (bytes[1] & OWN_DATABASE || house.lives > LIVES_MOST) {
		close_house();
		look_for_leaks();
		open_house();
	}
	for (int i = 0; i < CONNECTIONS_MOST && length >= 2; i++) {
		size_t left = live(bytes, length);

		bytes += length - left;
		length = left;
		house.lives++;
	}
	return 0;
}
