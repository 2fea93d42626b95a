#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/stream.h"
#include "net/tls.h"
#include "net/tls_client.h"

#define TAIL_MOST 1000
#define OUTPUT_MOST 4000000
#define PATIENCE_STEPS 1000 /* of 5 ms */
#define DAY 86400
#define HOST "street.example"

/* ---- certificates ---- */

struct pki {
	char folder[200];
	EVP_PKEY *keys[5];
	X509 *certificates[5];
};
enum { AUTHORITY, STREET, PERSON, STRANGER, LATE };
static const char *const names[] = { "authority", HOST, "person", "stranger", "late" };

static void path_of(const struct pki *p, int who, const char *end, char out[300])
{
	snprintf(out, 300, "%s/%s.%s", p->folder, names[who], end);
}

static void extend(X509 *c, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(e);
	X509_add_ext(c, e, -1);
	X509_EXTENSION_free(e);
}

static void write_pem(const struct pki *p, int who)
{
	char path[300];

	path_of(p, who, "crt", path);
	FILE *to = fopen(path, "we");
	PEM_write_X509(to, p->certificates[who]);
	fclose(to);
	path_of(p, who, "key", path);
	to = fopen(path, "we");
	PEM_write_PrivateKey(to, p->keys[who], NULL, NULL, 0, NULL, NULL);
	fclose(to);
	assert_int_equal(chmod(path, 0600), 0);
}

static void make(struct pki *p, int who, int signer, long from_days, long to_days)
{
	X509 *c = X509_new();
	X509_NAME *name = X509_get_subject_name(c);

	p->keys[who] = EVP_EC_gen("P-256");
	p->certificates[who] = c;
	X509_set_version(c, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(c), who + 1);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)names[who], -1, -1, 0);
	X509_set_issuer_name(c, X509_get_subject_name(p->certificates[signer]));
	X509_gmtime_adj(X509_getm_notBefore(c), from_days * DAY);
	X509_gmtime_adj(X509_getm_notAfter(c), to_days * DAY);
	X509_set_pubkey(c, p->keys[who]);
	if (who == signer)
		extend(c, NID_basic_constraints, "critical,CA:TRUE");
	else
		extend(c, NID_subject_alt_name, "DNS:" HOST ",IP:127.0.0.1");
	assert_true(X509_sign(c, p->keys[signer], EVP_sha256()) > 0);
	write_pem(p, who);
}

static int make_all(void **state)
{
	const char *temporary = getenv("TMPDIR");
	struct pki *p = calloc(1, sizeof *p);

	snprintf(p->folder, sizeof p->folder, "%s/gridloop-tls-XXXXXX", temporary ? temporary : "/tmp");
	assert_non_null(mkdtemp(p->folder));
	make(p, AUTHORITY, AUTHORITY, -1, 100);
	make(p, STREET, AUTHORITY, -1, 100);
	make(p, PERSON, AUTHORITY, -1, 100);
	make(p, STRANGER, STRANGER, -1, 100);
	make(p, LATE, AUTHORITY, -10, -1);
	*state = p;
	return 0;
}

static int remove_all(void **state)
{
	struct pki *p = *state;
	char path[300];

	for (int i = 0; i < 5; i++) {
		path_of(p, i, "crt", path);
		unlink(path);
		path_of(p, i, "key", path);
		unlink(path);
		EVP_PKEY_free(p->keys[i]);
		X509_free(p->certificates[i]);
	}
	rmdir(p->folder);
	free(p);
	return 0;
}

static int64_t now_ms(void)
{
	return (int64_t)time(NULL) * 1000;
}

static struct tls_server *server_of(const struct pki *p, int who, int key_of, int64_t at_ms, struct problems *why)
{
	char certificate[300], key[300], ca[300];
	const struct tls_files files = { certificate, key, ca };

	path_of(p, who, "crt", certificate);
	path_of(p, key_of, "key", key);
	path_of(p, AUTHORITY, "crt", ca);
	return tls_server_new(&files, at_ms, why);
}

/* ---- a stream over TLS and a client, both in this thread ---- */

struct fixture {
	const struct pki *pki;
	struct event_base *base;
	struct stream_loop *loop;
	struct tls_server *server;
	struct stream *stream;
	struct tls *served, *client; /* client NULL: closed */
	int client_fd;
	uint8_t *taken;
	size_t taken_length;
	int ended, closed;
	const char *why;
};

static size_t take(void *ctx, const uint8_t *bytes, size_t length)
{
	struct fixture *f = ctx;

	f->taken = realloc(f->taken, f->taken_length + length);
	memcpy(f->taken + f->taken_length, bytes, length);
	f->taken_length += length;
	return length;
}

static void note_ended(void *ctx)
{
	((struct fixture *)ctx)->ended++;
}

static void note_drained(void *ctx)
{
	(void)ctx;
}

static void note_closed(void *ctx, const char *why)
{
	struct fixture *f = ctx;

	f->closed++;
	f->why = why;
	f->stream = NULL;
}

static const struct stream_handler handler = { take, note_ended, note_drained, note_closed };

static void begin(struct fixture *f, const struct pki *p)
{
	static const struct stream_limits limits = { .tail_most = TAIL_MOST, .output_most = OUTPUT_MOST };
	struct problems why = { 0 };
	int pair[2], small = 4096;

	*f = (struct fixture){ .pki = p, .client_fd = -1 };
	f->server = server_of(p, STREET, STREET, now_ms(), &why);
	assert_non_null(f->server);
	assert_int_equal(why.count + why.warning_count, 0);
	f->base = event_base_new();
	f->loop = stream_loop_new(f->base, &limits);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	/* So that both sides have to wait for each other. */
	for (int i = 0; i < 2; i++)
		assert_int_equal(setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
	f->served = tls_accept(f->server, pair[0]);
	f->stream = stream_new(f->loop, pair[0], &transport_tls, f->served, &handler, f);
	f->client_fd = pair[1];
}

static void call_as(struct fixture *f, const char *host, int who, int ca)
{
	char certificate[300], key[300], authority[300], *cause;
	struct tls_client_files files = { .ca = authority };

	path_of(f->pki, ca, "crt", authority);
	if (who >= 0) {
		path_of(f->pki, who, "crt", certificate);
		path_of(f->pki, who, "key", key);
		files.certificate = certificate;
		files.key = key;
	}
	f->client = tls_connect(&files, host, f->client_fd, &cause);
	assert_non_null(f->client);
}

static void step(struct fixture *f)
{
	static const struct timeval most = { 0, 5000 };

	event_base_loopexit(f->base, &most);
	event_base_dispatch(f->base);
}

#define UNTIL(f, condition)                                                                                            \
	do {                                                                                                           \
		for (int i_ = 0; i_ < PATIENCE_STEPS && !(condition); i_++)                                            \
			step(f);                                                                                       \
		assert_true(condition);                                                                                \
	} while (0)

/* Ends when the client is through or has failed. */
static _Bool shake(struct fixture *f)
{
	ssize_t result = TRANSPORT_WAIT;

	for (int i = 0; i < PATIENCE_STEPS && result != 0 && result != TRANSPORT_FAILED; i++) {
		result = tls_shake(f->client);
		step(f);
	}
	return result == 0;
}

static ssize_t hear(struct fixture *f, uint8_t *out, size_t room)
{
	return transport_tls.read(f->client, f->client_fd, out, room);
}

static void end(struct fixture *f)
{
	if (f->client)
		transport_tls.close(f->client, f->client_fd);
	else if (f->client_fd >= 0)
		close(f->client_fd);
	stream_loop_free(f->loop);
	event_base_free(f->base);
	tls_server_release(f->server);
	free(f->taken);
}

/* ---- tests ---- */

static uint8_t big[1000000];

static void say(struct fixture *f, const uint8_t *bytes, size_t length)
{
	size_t sent = 0;

	for (int i = 0; i < PATIENCE_STEPS * 10 && sent < length; i++) {
		ssize_t n = transport_tls.write(f->client, f->client_fd, bytes + sent, length - sent);

		assert_int_not_equal(n, TRANSPORT_FAILED);
		sent += n > 0 ? (size_t)n : 0;
		step(f);
	}
	assert_int_equal(sent, length);
}

static void bytes_arrive_whole_both_ways(void **state)
{
	static uint8_t heard[sizeof big + TRANSPORT_READ_LEAST];
	struct fixture f;
	size_t got = 0;

	for (size_t i = 0; i < sizeof big; i++)
		big[i] = (uint8_t)(i * 7 + i / 251);
	begin(&f, *state);
	call_as(&f, HOST, -1, AUTHORITY);
	assert_true(shake(&f));
	say(&f, big, sizeof big);
	UNTIL(&f, f.taken_length == sizeof big);
	assert_memory_equal(f.taken, big, sizeof big);

	uint8_t *room = stream_room(f.stream, sizeof big);

	assert_non_null(room);
	memcpy(room, big, sizeof big);
	stream_wrote(f.stream, sizeof big);
	for (int i = 0; i < PATIENCE_STEPS * 10 && got < sizeof big; i++) {
		ssize_t n = hear(&f, heard + got, sizeof heard - got);

		assert_int_not_equal(n, TRANSPORT_FAILED);
		got += n > 0 ? (size_t)n : 0;
		step(&f);
	}
	assert_int_equal(got, sizeof big);
	assert_memory_equal(heard, big, sizeof big);
	end(&f);
}

static void a_finish_is_told_by_a_goodbye(void **state)
{
	static uint8_t heard[TRANSPORT_READ_LEAST];
	struct fixture f;

	begin(&f, *state);
	call_as(&f, HOST, -1, AUTHORITY);
	assert_true(shake(&f));
	memcpy(stream_room(f.stream, 3), "bye", 3);
	stream_wrote(f.stream, 3);
	stream_finish(f.stream, "over");
	step(&f);
	assert_int_equal(hear(&f, heard, sizeof heard), 3);
	assert_int_equal(hear(&f, heard, sizeof heard), 0);
	transport_tls.close(f.client, f.client_fd);
	f.client = NULL;
	f.client_fd = -1;
	UNTIL(&f, f.closed == 1);
	assert_string_equal(f.why, "over");
	end(&f);
}

static void a_half_closed_peer_still_gets_its_answer(void **state)
{
	static uint8_t heard[TRANSPORT_READ_LEAST];
	struct fixture f;

	begin(&f, *state);
	call_as(&f, HOST, -1, AUTHORITY);
	assert_true(shake(&f));
	say(&f, (const uint8_t *)"question", 8);
	transport_tls.finish(f.client, f.client_fd);
	UNTIL(&f, f.ended == 1);
	assert_int_equal(f.taken_length, 8);
	memcpy(stream_room(f.stream, 6), "answer", 6);
	stream_wrote(f.stream, 6);
	step(&f);
	assert_int_equal(hear(&f, heard, sizeof heard), 6);
	assert_memory_equal(heard, "answer", 6);
	end(&f);
}

/* What comes behind a broken record is no input, not even when a good one came in the same packet. */
static void nothing_is_believed_behind_a_broken_record(void **state)
{
	struct fixture f;

	begin(&f, *state);
	call_as(&f, HOST, -1, AUTHORITY);
	assert_true(shake(&f));
	assert_int_equal(transport_tls.write(f.client, f.client_fd, "good", 4), 4);
	assert_int_equal(send(f.client_fd,
	                      "\x17\x03\x03\x00\x20"
	                      "a forged record of 32 bytes ....plain plain plain",
	                      54, 0),
	                 54);
	UNTIL(&f, f.ended == 1);
	assert_int_equal(f.taken_length, 4);
	assert_int_equal(send(f.client_fd, "plain and more of it", 20, MSG_NOSIGNAL), 20);
	stream_finish(f.stream, "peer-ended");
	for (int i = 0; i < 5; i++)
		step(&f);
	assert_int_equal(f.taken_length, 4);
	transport_tls.close(f.client, f.client_fd);
	f.client = NULL;
	f.client_fd = -1;
	UNTIL(&f, f.closed == 1);
	end(&f);
}

static void any_bytes_at_all_only_fail(void **state)
{
	static const char *const starts[] = { "",
		                              "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03",
		                              "GET / HTTP/1.0\r\n\r\n",
		                              "\x80\x2e\x01\x00\x02",
		                              "\x15\x03\x03\x00\x02\x02\x28",
		                              "\x16\x03\x01\x40\x01",
		                              "\x17\x03\x03\xff\xff" };
	uint8_t noise[2000];
	uint32_t seed = 1;

	for (int round = 0; round < 200; round++) {
		const char *start = starts[(size_t)round % (sizeof starts / sizeof starts[0])];
		struct fixture f;

		for (size_t i = 0; i < sizeof noise; i++)
			noise[i] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
		begin(&f, *state);
		(void)!send(f.client_fd, start, strlen(start), MSG_NOSIGNAL);
		(void)!send(f.client_fd, noise, sizeof noise, MSG_NOSIGNAL);
		close(f.client_fd);
		f.client_fd = -1;
		UNTIL(&f, f.ended + f.closed > 0);
		assert_int_equal(f.taken_length, 0);
		end(&f);
	}
}

static void a_proven_certificate_is_known_by_its_digest(void **state)
{
	char fingerprint[DIGEST_TEXT_SIZE], expected[DIGEST_TEXT_SIZE];
	const struct pki *p = *state;
	uint8_t digest[DIGEST_SIZE];
	struct fixture f;

	begin(&f, p);
	assert_false(tls_peer_fingerprint(f.served, fingerprint));
	call_as(&f, HOST, PERSON, AUTHORITY);
	assert_true(shake(&f));
	say(&f, (const uint8_t *)"x", 1);
	UNTIL(&f, f.taken_length == 1);
	assert_true(tls_peer_fingerprint(f.served, fingerprint));
	X509_digest(p->certificates[PERSON], EVP_sha256(), digest, NULL);
	digest_text(digest, expected);
	assert_string_equal(fingerprint, expected);
	end(&f);

	begin(&f, p);
	call_as(&f, "127.0.0.1", -1, AUTHORITY);
	assert_true(shake(&f));
	say(&f, (const uint8_t *)"x", 1);
	assert_false(tls_peer_fingerprint(f.served, fingerprint));
	end(&f);
}

static void a_stranger_s_certificate_is_refused_and_told_why(void **state)
{
	static uint8_t heard[TRANSPORT_READ_LEAST];
	struct fixture f;
	ssize_t n = TRANSPORT_WAIT;

	begin(&f, *state);
	call_as(&f, HOST, STRANGER, AUTHORITY);
	/* The client is through before the server has looked at what it showed. */
	(void)!shake(&f);
	for (int i = 0; i < PATIENCE_STEPS && n == TRANSPORT_WAIT; i++) {
		n = hear(&f, heard, sizeof heard);
		step(&f);
	}
	assert_int_equal(n, TRANSPORT_FAILED);
	assert_non_null(strstr(tls_failure(f.client), "it refused our certificate"));
	assert_int_equal(f.taken_length, 0);
	end(&f);
}

static void the_caller_says_whom_it_does_not_believe(void **state)
{
	static const struct {
		const char *host;
		int ca;
		const char *words;
	} rows[] = { { "other.example", AUTHORITY, "is for " HOST ", 127.0.0.1, not for other.example" },
		     { "127.0.0.2", AUTHORITY, "not for 127.0.0.2" },
		     { HOST, STRANGER, "--ca FILE" } };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct fixture f;

		begin(&f, *state);
		call_as(&f, rows[i].host, -1, rows[i].ca);
		assert_false(shake(&f));
		assert_non_null(strstr(tls_failure(f.client), rows[i].words));
		UNTIL(&f, f.ended + f.closed > 0);
		end(&f);
	}
}

static void files_are_judged_before_they_serve(void **state)
{
	const struct pki *p = *state;
	const struct {
		int who, key;
		int64_t at_ms;
		const char *file, *words;
	} rows[] = { { LATE, LATE, now_ms(), "late.crt", "expired on" },
		     { STREET, STREET, now_ms() + 200 * (int64_t)DAY * 1000, ".crt", "expired on" },
		     { STREET, STREET, now_ms() - 2 * (int64_t)DAY * 1000, ".crt", "only from" },
		     { STREET, PERSON, now_ms(), "person.key", "does not belong" } };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct problems why = { 0 };

		assert_null(server_of(p, rows[i].who, rows[i].key, rows[i].at_ms, &why));
		assert_true(why.count > 0);
		assert_non_null(strstr(why.lines[0], rows[i].file));
		assert_non_null(strstr(why.lines[0], rows[i].words));
		problems_close(&why);
	}
	struct problems soon = { 0 };
	struct tls_server *s = server_of(p, STREET, STREET, now_ms() + 90 * (int64_t)DAY * 1000, &soon);

	assert_non_null(s);
	assert_true(soon.warning_count > 0);
	assert_non_null(strstr(soon.warnings[0], "renew it"));
	problems_close(&soon);
	tls_server_release(s);
}

static void a_connection_keeps_what_it_began_with(void **state)
{
	struct fixture f;

	begin(&f, *state);
	tls_server_release(f.server);
	f.server = NULL;
	call_as(&f, HOST, -1, AUTHORITY);
	assert_true(shake(&f));
	say(&f, (const uint8_t *)"still", 5);
	UNTIL(&f, f.taken_length == 5);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_arrive_whole_both_ways),
		cmocka_unit_test(a_finish_is_told_by_a_goodbye),
		cmocka_unit_test(a_half_closed_peer_still_gets_its_answer),
		cmocka_unit_test(nothing_is_believed_behind_a_broken_record),
		cmocka_unit_test(any_bytes_at_all_only_fail),
		cmocka_unit_test(a_proven_certificate_is_known_by_its_digest),
		cmocka_unit_test(a_stranger_s_certificate_is_refused_and_told_why),
		cmocka_unit_test(the_caller_says_whom_it_does_not_believe),
		cmocka_unit_test(files_are_judged_before_they_serve),
		cmocka_unit_test(a_connection_keeps_what_it_began_with),
	};

	return cmocka_run_group_tests(tests, make_all, remove_all);
}
