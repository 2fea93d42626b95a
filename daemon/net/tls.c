#include "net/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "net/tls_parts.h"

#define WRITE_MOST (1 << 30) /* the library counts in int */

/* ---- servers ---- */

struct tls_server *tls_server_new(const struct tls_files *files, int64_t now_ms, struct problems *p)
{
	struct tls_server *s = tls_context_new(TLS_server_method());
	_Bool good = tls_take_pair(s, files->certificate, files->key, now_ms, p);

	if (files->client_ca[0]) {
		/* Who has none may still come with a token. */
		SSL_CTX_set_verify(s->context, SSL_VERIFY_PEER, NULL);
		good &= tls_take_authorities(s, files->client_ca, now_ms, p);
	}
	if (good)
		return s;
	tls_server_release(s);
	return NULL;
}

void tls_server_log(const struct tls_server *s)
{
	const X509 *own = SSL_CTX_get0_certificate(s->context);
	uint8_t digest[DIGEST_SIZE];
	char day[64], fingerprint[DIGEST_TEXT_SIZE];

	must(X509_digest(own, EVP_sha256(), digest, NULL) == 1);
	digest_text(digest, fingerprint);
	tls_time_text(X509_get0_notAfter(own), day, sizeof day);
	log_line(LOG_LEVEL_NOTICE, "tls-certificate", "sha256=%s expires=\"%s\"", fingerprint, day);
}

struct tls *tls_accept(struct tls_server *s, int fd)
{
	struct tls *t = tls_new(s, fd);

	SSL_set_accept_state(t->ssl);
	return t;
}

_Bool tls_peer_fingerprint(const struct tls *t, char out[DIGEST_TEXT_SIZE])
{
	const X509 *c = SSL_is_init_finished(t->ssl) ? SSL_get0_peer_certificate(t->ssl) : NULL;
	uint8_t digest[DIGEST_SIZE];

	if (!c || SSL_get_verify_result(t->ssl) != X509_V_OK || X509_digest(c, EVP_sha256(), digest, NULL) != 1)
		return 0;
	digest_text(digest, out);
	return 1;
}

/* ---- the transport ---- */

static ssize_t failed(struct tls *t, int error)
{
	unsigned long code = ERR_peek_error();
	const char *reason = ERR_reason_error_string(code);

	if (error == SSL_ERROR_SYSCALL && code == 0)
		reason = errno ? strerror(errno) : "the peer went away";
	if (!t->failure[0] && t->host[0])
		tls_explain(t, code, reason);
	if (!t->host[0])
		log_line(LOG_LEVEL_DEBUG, "tls-failed", "why=\"%s\"", reason ? reason : "unknown");
	t->told_why = !t->host[0] && error == SSL_ERROR_SSL;
	t->failed = 1;
	ERR_clear_error();
	return TRANSPORT_FAILED;
}

ssize_t tls_result(struct tls *t, int returned)
{
	int error = SSL_get_error(t->ssl, returned);

	switch (error) {
	case SSL_ERROR_WANT_READ:
		return TRANSPORT_WAIT;
	case SSL_ERROR_WANT_WRITE:
		return TRANSPORT_WAIT_OTHER;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	default:
		return failed(t, error);
	}
}

/* Closing over unread bytes would reset the connection, and the peer would never see the alert that says what was wrong:
 * so to the stream such a peer has ended, and until it goes away what it says is thrown away here. */
static ssize_t read_after_failure(struct tls *t, int fd, void *bytes, size_t room)
{
	if (!t->told_why)
		return TRANSPORT_FAILED;
	if (!t->ended) {
		t->ended = 1;
		return 0;
	}
	ssize_t n = transport_plain.read(NULL, fd, bytes, room);

	return n > 0 ? TRANSPORT_WAIT : n;
}

static ssize_t tls_read(void *state, int fd, void *bytes, size_t room)
{
	struct tls *t = state;
	size_t got = 0;

	must(room >= TRANSPORT_READ_LEAST);
	if (t->failed)
		return read_after_failure(t, fd, bytes, room);
	/* A record is only begun when there is room for all of it. */
	while (room - got >= TRANSPORT_READ_LEAST) {
		ERR_clear_error();
		errno = 0;
		int n = SSL_read(t->ssl, (char *)bytes + got, TRANSPORT_READ_LEAST);

		if (n > 0) {
			got += (size_t)n;
			continue;
		}
		/* What was got comes first; an end or a failure shows again at the next read. */
		ssize_t result = tls_result(t, n);

		if (got > 0)
			return (ssize_t)got;
		return result == TRANSPORT_FAILED ? read_after_failure(t, fd, bytes, room) : result;
	}
	return (ssize_t)got;
}

static ssize_t tls_write(void *state, int fd, const void *bytes, size_t length)
{
	struct tls *t = state;
	size_t sent = 0;

	(void)fd;
	if (t->failed)
		return TRANSPORT_FAILED;
	while (sent < length) {
		size_t part = length - sent;

		ERR_clear_error();
		errno = 0;
		int n = SSL_write(t->ssl, (const char *)bytes + sent, (int)(part < WRITE_MOST ? part : WRITE_MOST));

		if (n > 0) {
			sent += (size_t)n;
			continue;
		}
		ssize_t result = tls_result(t, n);

		if (sent > 0)
			return (ssize_t)sent;
		if (result == TRANSPORT_WAIT)
			return TRANSPORT_WAIT_OTHER;
		return result == TRANSPORT_WAIT_OTHER ? TRANSPORT_WAIT : TRANSPORT_FAILED;
	}
	return (ssize_t)sent;
}

/* Before the handshake is over there is nobody to say goodbye to, after a failure it is forbidden. */
static void say_goodbye(struct tls *t)
{
	if (t->failed || !SSL_is_init_finished(t->ssl) || (SSL_get_shutdown(t->ssl) & SSL_SENT_SHUTDOWN))
		return;
	ERR_clear_error();
	/* When the socket takes nothing more the peer learns it from the end of the bytes. */
	(void)SSL_shutdown(t->ssl);
	ERR_clear_error();
}

static void tls_finish(void *state, int fd)
{
	say_goodbye(state);
	(void)shutdown(fd, SHUT_WR);
}

static void tls_close(void *state, int fd)
{
	struct tls *t = state;

	say_goodbye(t);
	SSL_free(t->ssl);
	tls_server_release(t->server);
	free(t);
	(void)close(fd);
}

const struct transport transport_tls = { tls_read, tls_write, tls_finish, tls_close };
