/* tls_parts: what both sides of TLS share. For the files net/tls*.c alone. */
#ifndef NET_TLS_PARTS_H
#define NET_TLS_PARTS_H

#include <openssl/ssl.h>
#include <stdatomic.h>

#include "net/tls.h"

#define TLS_FAILURE_SIZE 400

/* A context and what its connections need of it. Freed with the last who holds it. */
struct tls_server {
	SSL_CTX *context;
	BIO_METHOD *pipe;
	atomic_int holders;
};

struct tls {
	struct tls_server *server; /* of the calling side: a context of its own */
	SSL *ssl;
	_Bool failed;   /* nothing may be said any more */
	_Bool told_why; /* of the serving side: by an alert, as its last word */
	_Bool ended;    /* after that: the stream knows */
	char failure[TLS_FAILURE_SIZE];
	char host[256]; /* called, for what failure says; "": the serving side */
};

/* A context with the protocols and ciphers of both sides, held once. */
struct tls_server *tls_context_new(const SSL_METHOD *method) MUST_USE;
/* The certificate chain and its key into the context. false: lines in *p. */
_Bool tls_take_pair(struct tls_server *s, const char *certificate, const char *key, int64_t now_ms,
                    struct problems *p) MUST_USE;
/* Those of a PEM file into the context's store of believed ones. */
_Bool tls_take_authorities(struct tls_server *s, const char *path, int64_t now_ms, struct problems *p) MUST_USE;
/* A connection over the socket, neither side yet. */
struct tls *tls_new(struct tls_server *s, int fd) MUST_USE;
/* What a call that returned this comes to; keeps the reason of a failure. */
ssize_t tls_result(struct tls *t, int returned);
/* Puts the failure into words for the one who called. */
void tls_explain(struct tls *t, unsigned long code, const char *reason);
/* "2026-11-22 04:12 UTC". */
void tls_time_text(const ASN1_TIME *time, char *out, size_t size);

#endif
