#include "net/tls_client.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/tls_parts.h"

/* ---- what failed, for people ---- */

/* The names a certificate is for: "street.example, 10.0.0.7"; cut where out ends. */
static void names_of(X509 *c, char *out, size_t size)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(c, NID_subject_alt_name, NULL, NULL);
	size_t used = 0;

	snprintf(out, size, "nobody");
	for (int i = 0; i < sk_GENERAL_NAME_num(names) && used < size; i++) {
		const GENERAL_NAME *n = sk_GENERAL_NAME_value(names, i);
		char text[INET6_ADDRSTRLEN + 200] = "";

		if (n->type == GEN_DNS)
			snprintf(text, sizeof text, "%.*s", ASN1_STRING_length(n->d.dNSName),
			         (const char *)ASN1_STRING_get0_data(n->d.dNSName));
		else if (n->type == GEN_IPADD)
			inet_ntop(ASN1_STRING_length(n->d.iPAddress) == 4 ? AF_INET : AF_INET6,
			          ASN1_STRING_get0_data(n->d.iPAddress), text, sizeof text);
		/* They are a stranger's: nothing of them may move the reader's terminal. */
		for (char *at = text; *at; at++)
			if (*at < ' ' || *at == 0x7f)
				*at = '?';
		if (text[0])
			used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "", text);
	}
	GENERAL_NAMES_free(names);
}

static void explain_expired(struct tls *t, X509 *c)
{
	char day[64];

	tls_time_text(X509_get0_notAfter(c), day, sizeof day);
	snprintf(t->failure, sizeof t->failure, "its certificate expired on %s; the operator must renew it", day);
}

static void explain_early(struct tls *t, X509 *c)
{
	char day[64];

	tls_time_text(X509_get0_notBefore(c), day, sizeof day);
	snprintf(t->failure, sizeof t->failure,
	         "its certificate holds only from %s on; is the clock of this machine right?", day);
}

static void explain_name(struct tls *t, X509 *c)
{
	char names[160];

	names_of(c, names, sizeof names);
	snprintf(t->failure, sizeof t->failure,
	         "its certificate is for %s, not for %.100s; call it by a name of its certificate", names, t->host);
}

static void explain_stranger(struct tls *t, X509 *c)
{
	(void)c;
	snprintf(t->failure, sizeof t->failure,
	         "its certificate is not signed by an authority that is trusted here; give the certificate of its "
	         "authority with --ca FILE");
}

static const struct {
	int code;
	void (*explain)(struct tls *t, X509 *c);
} verdicts[] = {
	{ X509_V_ERR_CERT_HAS_EXPIRED, explain_expired },
	{ X509_V_ERR_CERT_NOT_YET_VALID, explain_early },
	{ X509_V_ERR_HOSTNAME_MISMATCH, explain_name },
	{ X509_V_ERR_IP_ADDRESS_MISMATCH, explain_name },
	{ X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, explain_stranger },
	{ X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, explain_stranger },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, explain_stranger },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, explain_stranger },
	{ X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, explain_stranger },
};

static int on_verdict(int good, X509_STORE_CTX *x)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(x, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls *t = SSL_get_app_data(ssl);
	int code = X509_STORE_CTX_get_error(x);

	if (good)
		return 1;
	for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++)
		if (verdicts[i].code == code) {
			verdicts[i].explain(t, X509_STORE_CTX_get_current_cert(x));
			return 0;
		}
	snprintf(t->failure, sizeof t->failure, "its certificate is refused: %s", X509_verify_cert_error_string(code));
	return 0;
}

static const struct {
	int reason;
	const char *sentence;
} reasons[] = {
	{ SSL_R_WRONG_VERSION_NUMBER,
	  "what answers there does not speak TLS; is it the address for plain connections?" },
	{ SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "it refused our certificate: it has expired" },
	{ SSL_R_TLSV1_ALERT_UNKNOWN_CA, "it refused our certificate: it does not trust the authority that signed it" },
	{ SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "it refused our certificate" },
	{ SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, "it refused our certificate: it has been withdrawn" },
	{ SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, "it refused our certificate" },
	{ SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, "it refused our certificate: it is not one for clients" },
	{ SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "it speaks no version of TLS that we do (1.2 and 1.3)" },
	{ SSL_R_UNSUPPORTED_PROTOCOL, "it speaks no version of TLS that we do (1.2 and 1.3)" },
	{ SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, "it and we have no cipher in common" },
};

void tls_explain(struct tls *t, unsigned long code, const char *reason)
{
	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
		if (code && ERR_GET_REASON(code) == reasons[i].reason) {
			snprintf(t->failure, sizeof t->failure, "%s", reasons[i].sentence);
			return;
		}
	if (reason)
		snprintf(t->failure, sizeof t->failure, "%s", reason);
}

const char *tls_failure(const struct tls *t)
{
	return t->failure;
}

/* ---- connecting ---- */

static _Bool take_files(struct tls_server *s, const struct tls_client_files *files, struct problems *p)
{
	struct clock clock = clock_system();
	int64_t now_ms = clock.wall_ms(clock.ctx);
	_Bool good = 1;

	if (files->ca)
		good = tls_take_authorities(s, files->ca, now_ms, p);
	else
		must(SSL_CTX_set_default_verify_paths(s->context));
	if (files->certificate)
		good &= tls_take_pair(s, files->certificate, files->key, now_ms, p);
	SSL_CTX_set_verify(s->context, SSL_VERIFY_PEER, on_verdict);
	return good;
}

/* Addresses are in certificates as such, and are not told as the name that is called. */
static _Bool set_host(struct tls *t, const char *host)
{
	X509_VERIFY_PARAM *v = SSL_get0_param(t->ssl);
	uint8_t bytes[16];

	snprintf(t->host, sizeof t->host, "%s", host);
	X509_VERIFY_PARAM_set_hostflags(v, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(v, host) == 1;
	return X509_VERIFY_PARAM_set1_host(v, host, 0) == 1 && SSL_set_tlsext_host_name(t->ssl, host) == 1;
}

struct tls *tls_connect(const struct tls_client_files *files, const char *host, int fd, char **cause)
{
	struct tls_server *s = tls_context_new(TLS_client_method());
	struct problems p = { 0 };
	struct tls *t = NULL;

	*cause = NULL;
	if (!take_files(s, files, &p)) {
		*cause = must_strdup(p.count ? p.lines[0] : "a certificate cannot be used");
	} else {
		t = tls_new(s, fd);
		SSL_set_connect_state(t->ssl);
		/* A name no certificate can be for, such as one that is too long. */
		if (!set_host(t, host))
			snprintf(t->failure, sizeof t->failure, "%.100s is no name of a server", host);
		t->failed = t->failure[0] != '\0';
	}
	problems_close(&p);
	tls_server_release(s);
	return t;
}

ssize_t tls_shake(struct tls *t)
{
	if (t->failed)
		return TRANSPORT_FAILED;
	ERR_clear_error();
	int n = SSL_do_handshake(t->ssl);

	if (n == 1)
		return 0;
	ssize_t result = tls_result(t, n);

	return result == 0 ? TRANSPORT_FAILED : result;
}

_Bool tls_fingerprint_of_file(const char *path, uint8_t out[DIGEST_SIZE], char **cause)
{
	FILE *from = fopen(path, "re");
	X509 *certificate = from ? PEM_read_X509(from, NULL, NULL, NULL) : NULL;
	_Bool good = certificate && X509_digest(certificate, EVP_sha256(), out, NULL) == 1;

	if (!from)
		must(asprintf(cause, "%s cannot be read: %s", path, strerror(errno)) >= 0);
	else if (!good)
		must(asprintf(cause, "%s holds no certificate in PEM", path) >= 0);
	X509_free(certificate);
	if (from)
		(void)fclose(from);
	ERR_clear_error();
	return good;
}
