#include "net/tls_parts.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"

/* Forward secrecy and authenticated encryption only. Those of TLS 1.3 are all of this kind. */
#define CIPHERS_12 "ECDHE+AESGCM:ECDHE+CHACHA20"
#define GROUPS "X25519:P-256:P-384"
#define CHAIN_BYTES_MOST (32 * 1024) /* of a peer's certificates */
#define SECURITY_LEVEL 2             /* 112 bits: RSA from 2048, no SHA-1 signatures */

/* ---- the socket under it: OpenSSL's own would raise SIGPIPE ---- */

static int fd_of(BIO *b)
{
	return (int)(intptr_t)BIO_get_data(b);
}

static int pipe_write(BIO *b, const char *bytes, int length)
{
	ssize_t n = send(fd_of(b), bytes, (size_t)length, MSG_NOSIGNAL);

	BIO_clear_retry_flags(b);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_write(b);
	return (int)n;
}

static int pipe_read(BIO *b, char *bytes, int room)
{
	ssize_t n = recv(fd_of(b), bytes, (size_t)room, 0);

	BIO_clear_retry_flags(b);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_read(b);
	if (n == 0)
		BIO_set_flags(b, BIO_FLAGS_IN_EOF);
	return (int)n;
}

static long pipe_control(BIO *b, int command, long number, void *pointer)
{
	(void)number;
	(void)pointer;
	if (command == BIO_CTRL_EOF)
		return BIO_test_flags(b, BIO_FLAGS_IN_EOF) != 0;
	return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *pipe_method(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without signals");

	must(m && BIO_meth_set_write(m, pipe_write) && BIO_meth_set_read(m, pipe_read) &&
	     BIO_meth_set_ctrl(m, pipe_control));
	return m;
}

/* ---- contexts ---- */

/* A key with a passphrase would make the library ask the terminal for it. */
static int no_passphrase(char *out, int size, int writing, void *ctx)
{
	(void)writing;
	(void)ctx;
	if (size > 0)
		out[0] = '\0';
	return 0;
}

struct tls_server *tls_context_new(const SSL_METHOD *method)
{
	struct tls_server *s = must_calloc(1, sizeof *s);
	SSL_CTX *c = s->context = SSL_CTX_new(method);

	must(c && SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) && SSL_CTX_set_max_proto_version(c, 0) &&
	     SSL_CTX_set_cipher_list(c, CIPHERS_12) && SSL_CTX_set1_groups_list(c, GROUPS));
	SSL_CTX_set_security_level(c, SECURITY_LEVEL);
	/* A phone that loses its network says no goodbye. Frames carry their length, so one cut off is never taken. */
	(void)SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
	                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
	                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
	(void)SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
	                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* A peer that sends nothing but changes of keys must not keep the loop in one read. */
	(void)SSL_CTX_clear_mode(c, SSL_MODE_AUTO_RETRY);
	(void)SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	must(SSL_CTX_set_num_tickets(c, 0));
	SSL_CTX_set_max_cert_list(c, CHAIN_BYTES_MOST);
	SSL_CTX_set_default_passwd_cb(c, no_passphrase);
	s->pipe = pipe_method();
	atomic_init(&s->holders, 1);
	return s;
}

struct tls_server *tls_server_hold(struct tls_server *s)
{
	atomic_fetch_add(&s->holders, 1);
	return s;
}

void tls_server_release(struct tls_server *s)
{
	if (!s || atomic_fetch_sub(&s->holders, 1) != 1)
		return;
	SSL_CTX_free(s->context);
	BIO_meth_free(s->pipe);
	free(s);
}

/* ---- files ---- */

void tls_time_text(const ASN1_TIME *time, char *out, size_t size)
{
	struct tm parts;

	if (ASN1_TIME_to_tm(time, &parts) != 1 || strftime(out, size, "%Y-%m-%d %H:%M UTC", &parts) == 0)
		snprintf(out, size, "an unknown day");
}

/* 0 when it cannot be read, which is long ago. */
static int64_t time_ms(const ASN1_TIME *time)
{
	struct tm parts;

	return ASN1_TIME_to_tm(time, &parts) == 1 ? (int64_t)timegm(&parts) * CLOCK_SECOND_MS : 0;
}

static FILE *open_pem(const char *path, struct problems *p)
{
	FILE *from = fopen(path, "re");
	struct stat about;

	if (from && (fstat(fileno(from), &about) != 0 || S_ISDIR(about.st_mode))) {
		(void)fclose(from);
		errno = EISDIR;
		from = NULL;
	}
	if (!from)
		problems_add(p, path, 0, "cannot be read: %s; expected a PEM file that this user may read",
		             strerror(errno));
	return from;
}

static _Bool is_in_force(X509 *c, const char *path, int64_t now_ms, struct problems *p)
{
	char day[64];

	if (time_ms(X509_get0_notAfter(c)) <= now_ms) {
		tls_time_text(X509_get0_notAfter(c), day, sizeof day);
		problems_add(p, path, 0, "found a certificate that expired on %s; expected one in force: renew it",
		             day);
		return 0;
	}
	if (time_ms(X509_get0_notBefore(c)) > now_ms) {
		tls_time_text(X509_get0_notBefore(c), day, sizeof day);
		problems_add(p, path, 0,
		             "found a certificate that holds only from %s on; expected one in force (is the clock of "
		             "this machine right?)",
		             day);
		return 0;
	}
	if (time_ms(X509_get0_notAfter(c)) - now_ms < TLS_EXPIRY_WARNING_DAYS * CLOCK_DAY_MS) {
		tls_time_text(X509_get0_notAfter(c), day, sizeof day);
		problems_warn(p, path, 0, "a certificate here expires on %s; renew it before", day);
	}
	return 1;
}

/* Each certificate of the file to take, which owns nothing. false: lines in *p. */
static _Bool each_certificate(const char *path, int64_t now_ms, struct problems *p,
                              _Bool (*take)(struct tls_server *s, X509 *c, int number), struct tls_server *s)
{
	FILE *from = open_pem(path, p);
	_Bool good = from != NULL;
	int count = 0;
	X509 *c;

	while (good && (c = PEM_read_X509(from, NULL, no_passphrase, NULL))) {
		good = is_in_force(c, path, now_ms, p);
		if (good && !take(s, c, count)) {
			problems_add(p, path, 0,
			             "found a certificate that is too weak or broken; expected RSA from 2048 bits or "
			             "an elliptic curve, signed with SHA-256 or better");
			good = 0;
		}
		count++;
		X509_free(c);
	}
	/* The loop ends in "no start line" when the file does, in something else when it is damaged. */
	if (good && (count == 0 || ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)) {
		problems_add(p, path, 0, "found %s; expected certificates as PEM (-----BEGIN CERTIFICATE-----)",
		             count ? "a damaged certificate" : "no certificate");
		good = 0;
	}
	ERR_clear_error();
	if (from)
		(void)fclose(from);
	return good;
}

static _Bool take_own(struct tls_server *s, X509 *c, int number)
{
	return (number > 0 ? SSL_CTX_add1_chain_cert(s->context, c) : SSL_CTX_use_certificate(s->context, c)) == 1;
}

static _Bool take_authority(struct tls_server *s, X509 *c, int number)
{
	(void)number;
	return X509_STORE_add_cert(SSL_CTX_get_cert_store(s->context), c) == 1 &&
	       SSL_CTX_add_client_CA(s->context, c) == 1;
}

_Bool tls_take_authorities(struct tls_server *s, const char *path, int64_t now_ms, struct problems *p)
{
	return each_certificate(path, now_ms, p, take_authority, s);
}

static _Bool take_key(struct tls_server *s, const char *certificate, const char *path, struct problems *p)
{
	FILE *from = open_pem(path, p);
	EVP_PKEY *key = from ? PEM_read_PrivateKey(from, NULL, no_passphrase, NULL) : NULL;
	X509 *own = SSL_CTX_get0_certificate(s->context);
	struct stat about;
	_Bool pair = key && X509_check_private_key(own, key) == 1 && SSL_CTX_use_PrivateKey(s->context, key) == 1;

	if (from && !key)
		problems_add(p, path, 0,
		             "found no key that can be read; expected a private key as PEM without a "
		             "passphrase");
	else if (from && !pair)
		problems_add(p, path, 0, "found a key that does not belong to the certificate in %s; expected its own",
		             certificate);
	if (pair && fstat(fileno(from), &about) == 0 && (about.st_mode & S_IRWXO))
		problems_warn(p, path, 0, "everybody on this machine can read this key; run: chmod o= %s", path);
	ERR_clear_error();
	EVP_PKEY_free(key);
	if (from)
		(void)fclose(from);
	return pair;
}

_Bool tls_take_pair(struct tls_server *s, const char *certificate, const char *key, int64_t now_ms, struct problems *p)
{
	return each_certificate(certificate, now_ms, p, take_own, s) && take_key(s, certificate, key, p);
}

/* ---- connections ---- */

struct tls *tls_new(struct tls_server *s, int fd)
{
	struct tls *t = must_calloc(1, sizeof *t);
	BIO *pipe = BIO_new(s->pipe);

	must(pipe);
	BIO_set_data(pipe, (void *)(intptr_t)fd);
	BIO_set_init(pipe, 1);
	t->server = tls_server_hold(s);
	t->ssl = SSL_new(s->context);
	must(t->ssl);
	SSL_set_bio(t->ssl, pipe, pipe);
	must(SSL_set_app_data(t->ssl, t));
	return t;
}
