#include "serve/runtime.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <protobuf-c/protobuf-c.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/version.h"
#include "engine/engine.h"
#include "intake/redis.h"
#include "intake/tcp.h"
#include "net/listener.h"
#include "net/tls.h"
#include "serve/options.h"
#include "serve/reloader.h"
#include "serve/sockets.h"
#include "serve/systemd.h"
#include "store/store.h"

#define DRAIN_MOST_MS 15000 /* for what is under way; the service's TimeoutStopSec is longer */
#define DRAIN_LOOK_MS 20
#define WATCHDOG_LOOKS 4    /* in its span: a slow moment at one of them is no reason to be killed */
#define HEAP_STEP (1 << 20) /* bytes */

enum run_level { RUN_SERVING, RUN_DRAINING, RUN_OVER };

struct runtime {
	const struct config *config;
	struct event_base *base;
	struct reloader *reloader;
	struct engine *engine;
	struct tcp_door *tcp;
	struct redis_door *redis; /* NULL: none configured */
	struct tls_server *tls;   /* the options'; NULL: none */
	struct event answers, drain, watchdog;
	int signal_fd;
	struct event signals;
	struct sockets handed;
	_Bool events_ready;
	enum run_level level;
	int64_t drain_left_ms;
	struct engine_pulse pulse; /* when the watchdog last looked */
};

/* ---- the process ---- */

static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		log_errno("descriptors-not-raised", "most=%llu", (unsigned long long)limit.rlim_max);
}

static void log_of_libevent(int severity, const char *message)
{
	static const enum log_level levels[] = {
		[EVENT_LOG_DEBUG] = LOG_LEVEL_DEBUG,
		[EVENT_LOG_MSG] = LOG_LEVEL_INFO,
		[EVENT_LOG_WARN] = LOG_LEVEL_WARNING,
		[EVENT_LOG_ERR] = LOG_LEVEL_ERROR,
	};

	log_line(severity >= EVENT_LOG_DEBUG && severity <= EVENT_LOG_ERR ? levels[severity] : LOG_LEVEL_WARNING,
	         "libevent", "text=\"%s\"", message);
}

void runtime_prepare_process(const struct config *c)
{
	log_set_level((enum log_level)(LOG_LEVEL_ERROR + c->log_level));
	/* A peer that goes away is a failed write, not a signal. */
	(void)signal(SIGPIPE, SIG_IGN);
	raise_descriptors();
	/* A thread's own heap grows by one page a time, each a system call; the main one by megabytes. */
	(void)mallopt(M_ARENA_MAX, 1);
	(void)mallopt(M_TOP_PAD, HEAP_STEP);
	store_prepare_process();
	event_set_log_callback(log_of_libevent);
}

/* ---- modes ---- */

static _Bool is_idle(const struct runtime *r)
{
	return tcp_door_idle(r->tcp) && (!r->redis || redis_door_idle(r->redis)) && engine_idle(r->engine);
}

static void end_now(struct runtime *r)
{
	r->level = RUN_OVER;
	(void)event_base_loopbreak(r->base);
}

static void on_drain(int fd, short what, void *arg)
{
	struct runtime *r = arg;

	(void)fd;
	(void)what;
	r->drain_left_ms -= DRAIN_LOOK_MS;
	if (is_idle(r)) {
		end_now(r);
	} else if (r->drain_left_ms <= 0) {
		log_line(LOG_LEVEL_WARNING, "drain-cut-short", "after_ms=%d", DRAIN_MOST_MS);
		end_now(r);
	}
}

static void drain(struct runtime *r, int signal_number)
{
	static const struct timeval look = { 0, DRAIN_LOOK_MS * 1000 };

	log_line(LOG_LEVEL_NOTICE, "draining", "signal=%d", signal_number);
	systemd_stopping();
	r->level = RUN_DRAINING;
	r->drain_left_ms = DRAIN_MOST_MS;
	tcp_door_stop(r->tcp);
	if (r->redis)
		redis_door_stop(r->redis);
	must(event_add(&r->drain, &look) == 0);
}

static void on_end_signal(struct runtime *r, int number)
{
	if (r->level == RUN_SERVING) {
		drain(r, number);
		return;
	}
	log_line(LOG_LEVEL_WARNING, "ending-at-once", "signal=%d", number);
	end_now(r);
}

static void on_hangup(struct runtime *r, int number)
{
	(void)number;
	if (r->level == RUN_SERVING)
		reloader_hangup(r->engine);
}

/* ---- signals: read from a descriptor like everything else, so that no handler runs in the middle of anything ---- */

static const struct {
	int number;
	void (*on)(struct runtime *r, int number);
} signal_rows[] = { { SIGTERM, on_end_signal }, { SIGINT, on_end_signal }, { SIGHUP, on_hangup } };

/* Before the first thread begins, for threads inherit what is blocked; what comes during the start waits for its end. */
static int open_signals(void)
{
	sigset_t set;
	int fd;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < sizeof signal_rows / sizeof *signal_rows; i++)
		(void)sigaddset(&set, signal_rows[i].number);
	must(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	must(fd != -1);
	return fd;
}

static void on_signals(int fd, short what, void *arg)
{
	struct runtime *r = arg;
	struct signalfd_siginfo came;

	(void)what;
	while (read(fd, &came, sizeof came) == sizeof came)
		for (size_t i = 0; i < sizeof signal_rows / sizeof *signal_rows; i++)
			if (signal_rows[i].number == (int)came.ssi_signo)
				signal_rows[i].on(r, signal_rows[i].number);
}

/* ---- the engine ---- */

static void on_answers(int fd, short what, void *arg)
{
	struct runtime *r = arg;

	(void)fd;
	(void)what;
	engine_drain(r->engine);
}

/* Memory may be ahead of the disk or the other way round: nobody is answered any more, and the restart finds out. */
static void on_failure(void *ctx, int exit_code)
{
	(void)ctx;
	log_line(LOG_LEVEL_ERROR, "engine-failed", "exit=%d", exit_code);
	_exit(exit_code);
}

/* The loop is alive when this runs. */
static void on_watchdog(int fd, short what, void *arg)
{
	struct runtime *r = arg;

	(void)fd;
	(void)what;
	if (engine_has_moved(r->engine, &r->pulse))
		systemd_alive();
	else
		log_line(LOG_LEVEL_WARNING, "writer-stuck", "watchdog=not-fed");
}

/* ---- putting together ---- */

static struct engine *open_engine(const struct options *o, struct reloader *reloader, enum store_result *failure,
                                  char **cause)
{
	const struct config *c = &o->config;
	const struct engine_options options = {
		.store = { .path = c->database,
		           .checkpoint_frames = c->checkpoint_frames,
		           .failure = failure,
		           .room = { .ballast = c->disk_ballast, .free_least = c->disk_free_min } },
		.policy = o->policy,
		.reload = reloader_hooks(reloader),
		.clock = clock_system(),
		.replay_clock = c->clock == CONFIG_CLOCK_REPLAY,
		.shard = (int)c->shard,
		.queue_most = c->queue_max,
		.batch_most = c->batch_max,
		.readers = (int)c->readers,
		.queries_most = c->queries_max,
		.evidence = c->evidence,
		.evidence_limits = { .image_most = c->evidence_image_max,
		                     .clip_most = c->evidence_clip_max,
		                     .day_most = c->evidence_day_max,
		                     .gateway_day_most = c->evidence_gateway_day_max,
		                     .partials_most = c->evidence_partials_max,
		                     .total_most = c->evidence_total_max,
		                     .free_least = c->evidence_free_min,
		                     .partial_keep_ms = c->evidence_partial_keep_ms,
		                     .unnamed_keep_ms = c->evidence_unnamed_keep_ms },
		.file_jobs_most = c->evidence_queue_max,
	};

	return engine_new(&options, cause);
}

/* Each address of the setting behind the count there are; how many there are then. */
static size_t gather(const char *setting, char (*texts)[CONFIG_ADDRESS_SIZE], const char **addresses, size_t count)
{
	for (size_t i = 0; i < CONFIG_ADDRESSES_MOST && config_address(setting, i, texts[count]); i++) {
		addresses[count] = texts[count];
		count++;
	}
	return count;
}

#define UNIX_ADDRESS_SIZE 128 /* "unix:" and a path */

static struct tcp_door *open_tcp(struct runtime *r, char **cause)
{
	char texts[LISTENER_SOCKETS_MOST][CONFIG_ADDRESS_SIZE], file[UNIX_ADDRESS_SIZE];
	const char *addresses[LISTENER_SOCKETS_MOST];
	int fds[SOCKETS_MOST];
	size_t plain_fds = sockets_named(&r->handed, SOCKETS_TCP, fds, SOCKETS_MOST);
	plain_fds += sockets_named(&r->handed, SOCKETS_UNIX, fds + plain_fds, SOCKETS_MOST - plain_fds);
	size_t fd_count = plain_fds + sockets_named(&r->handed, SOCKETS_TLS, fds + plain_fds, SOCKETS_MOST - plain_fds);
	size_t plain = gather(r->config->listen, texts, addresses, 0);
	if (*r->config->listen_unix) {
		must(snprintf(file, sizeof file, "unix:%s", r->config->listen_unix) < (int)sizeof file);
		addresses[plain++] = file;
	}
	size_t count = gather(r->config->listen_tls, texts, addresses, plain);

	struct tcp_door_options o = {
		.addresses = addresses,
		.address_count = count,
		.fds = fds,
		.fd_count = fd_count,
		.plain_count = fd_count ? plain_fds : plain,
		.tls = r->tls ? tls_server_hold(r->tls) : NULL,
		.connections_most = r->config->connections_max,
		.crowd = options_crowd(r->config),
		.frame_most = r->config->frame_max,
		.inflight_most = r->config->inflight_max,
		.output_most = r->config->connection_memory,
		.login_ms = r->config->login_timeout_ms,
		.idle_ms = r->config->idle_timeout_ms,
		.login_limits = options_login_limits(r->config),
		.replay_clock = r->config->clock == CONFIG_CLOCK_REPLAY,
		.rates = rate_limits_of(r->config),
	};

	return tcp_door_new(r->base, r->engine, &o, cause);
}

static void watch(struct runtime *r)
{
	int64_t watchdog_ms = systemd_watchdog_ms() / WATCHDOG_LOOKS;
	struct timeval every = { watchdog_ms / 1000, watchdog_ms % 1000 * 1000 };

	must(event_assign(&r->answers, r->base, engine_fd(r->engine), EV_READ | EV_PERSIST, on_answers, r) == 0);
	must(event_assign(&r->drain, r->base, -1, EV_PERSIST, on_drain, r) == 0);
	must(event_assign(&r->watchdog, r->base, -1, EV_PERSIST, on_watchdog, r) == 0);
	must(event_add(&r->answers, NULL) == 0);
	must(event_assign(&r->signals, r->base, r->signal_fd, EV_READ | EV_PERSIST, on_signals, r) == 0);
	must(event_add(&r->signals, NULL) == 0);
	if (watchdog_ms > 0)
		must(event_add(&r->watchdog, &every) == 0);
	engine_on_failure(r->engine, on_failure, r);
	r->events_ready = 1;
}

static _Bool open_parts(struct runtime *r, const struct options *o, int *status, char **cause)
{
	enum store_result failure = STORE_DAMAGED;

	*status = EXIT_WRONG_CONFIG;
	if (!sockets_take(&r->handed, &o->config, cause))
		return 0;
	r->engine = open_engine(o, r->reloader, &failure, cause);
	/* A full disk or an I/O error may be gone the next time; anything else wants a person. */
	if (!r->engine && failure == STORE_UNKNOWN)
		*status = EXIT_TRY_AGAIN;
	if (!r->engine)
		return 0;
	watch(r);
	*status = EXIT_NO_START;
	sockets_compare(&r->handed, SOCKETS_TCP, r->config);
	sockets_compare(&r->handed, SOCKETS_TLS, r->config);
	sockets_compare(&r->handed, SOCKETS_UNIX, r->config);
	r->tcp = open_tcp(r, cause);
	if (!r->tcp)
		return 0;
	if (r->config->redis[0] == '\0')
		return 1;
	r->redis = redis_door_new(r->base, r->engine, r->config, cause);
	return r->redis != NULL;
}

struct runtime *runtime_new(const struct options *o, int *status)
{
	const struct config *c = &o->config;
	struct runtime *r = must_calloc(1, sizeof *r);
	char *cause = NULL;

	log_line(LOG_LEVEL_INFO, "start", "version=%s libevent=%s protobuf-c=%s openssl=%s database=%s",
	         GRIDLOOP_VERSION, event_get_version(), protobuf_c_version(), OpenSSL_version(OPENSSL_VERSION_STRING),
	         c->database);
	r->signal_fd = open_signals();
	r->config = c;
	r->tls = o->tls;
	r->reloader = reloader_new(o);
	r->base = event_base_new();
	must(r->base);
	if (open_parts(r, o, status, &cause))
		return r;
	log_line(LOG_LEVEL_ERROR, "cannot-start", "why=\"%s\"", cause ? cause : "unknown");
	free(cause);
	runtime_free(r);
	return NULL;
}

static void say_ready(const struct runtime *r)
{
	char status[128];

	log_line(LOG_LEVEL_NOTICE, "ready",
	         "listen=\"%s\" listen_tls=\"%s\" handed_over=%zu port=%d redis=\"%s\" clock=%s",
	         r->handed.count ? "" : r->config->listen, r->handed.count ? "" : r->config->listen_tls,
	         r->handed.count, tcp_door_port(r->tcp, 0), r->config->redis,
	         r->config->clock == CONFIG_CLOCK_REPLAY ? "replay" : "system");
	(void)snprintf(status, sizeof status, "serving on port %d", tcp_door_port(r->tcp, 0));
	reloader_serves(r->reloader, r->tcp, r->redis, status);
	systemd_ready(status);
}

int runtime_run(struct runtime *r)
{
	if (r->tls)
		tls_server_log(r->tls);
	say_ready(r);
	while (r->level != RUN_OVER)
		if (event_base_dispatch(r->base) != 0)
			break;
	log_line(LOG_LEVEL_NOTICE, "end", "clean=%s", is_idle(r) ? "yes" : "no");
	return EXIT_SUCCESS;
}

static void unwatch(struct runtime *r)
{
	if (!r->events_ready)
		return;
	event_del(&r->answers);
	event_del(&r->drain);
	event_del(&r->watchdog);
	event_del(&r->signals);
}

void runtime_free(struct runtime *r)
{
	if (!r)
		return;
	unwatch(r);
	/* The doors' answers come through the engine, so it goes first: after it nothing can come in for them. */
	engine_free(r->engine);
	reloader_free(r->reloader);
	redis_door_free(r->redis);
	tcp_door_free(r->tcp);
	event_base_free(r->base);
	(void)close(r->signal_fd);
	free(r);
}
