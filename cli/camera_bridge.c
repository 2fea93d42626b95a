/* camera-bridge: what cameras send in their own formats becomes alarms in the daemon's stream. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "camera_post.h"
#include "camera_send.h"
#include "jurisdiction/cameras.h"
#include "jurisdiction/policy.h"
#include "login.h"
#include "verb.h"
#include "workflow/domain.h"

#define STREAM_DEFAULT "gridloop:cameras"
#define READ_SIZE 65536
#define COMPLAINTS_MOST 500
/* What the daemon takes: times from 2000 on that are not more than two days ahead. */
#define TIME_LEAST_MS INT64_C(946684800000)
#define TIME_AHEAD_MOST_MS INT64_C(172800000)

static const struct adapter *const adapters[] = { &hikvision_adapter, &frigate_adapter, &deepstream_adapter };

static const struct option_row bridge_options[] = {
	{ "--from", OPTION_WORD, "hikvision|frigate|deepstream", "what the input is", 1, 0 },
	{ "--jurisdiction", OPTION_TEXT, "FOLDER", "the daemon's, for its cameras.csv and camera_labels.csv", 1, 0 },
	{ "--redis", OPTION_TEXT, "HOST:PORT|unix:PATH", "the daemon's Redis", 0, 0 },
	{ "--stream", OPTION_TEXT, "NAME", "redis_cameras of gridloop.conf (" STREAM_DEFAULT ")", 0, 0 },
	{ "--dry-run", OPTION_FLAG, NULL, "print each alarm as a line of JSON and send nothing", 0, 0 },
	{ "--as", OPTION_TEXT, "ID", "the gateway whose cameras these are (GRIDLOOP_ID)", 0, 0 },
	{ "--token", OPTION_TEXT, "TOKEN", "the secret of that id (GRIDLOOP_TOKEN)", 0, 0 },
	{ 0 },
};

struct bridge {
	struct policy *policy;
	const char *gateway;
	struct camera_send *send;
	const char *input; /* where the bytes under way come from */
	struct trouble why;
	int64_t sent, other, unknown_camera, unknown_label, unsure, broken;
	char *complaints[COMPLAINTS_MOST];
	size_t complaint_count;
};

/* ---- complaints: each once, for a camera says the same all day ---- */

PRINTF_LIKE(2, 3) static void complain(struct bridge *b, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	must(vasprintf(&text, format, args) >= 0);
	va_end(args);
	for (size_t i = 0; i < b->complaint_count; i++)
		if (strcmp(b->complaints[i], text) == 0) {
			free(text);
			return;
		}
	if (b->complaint_count == COMPLAINTS_MOST) {
		free(text);
		return;
	}
	fprintf(stderr, "gridloop: %s: %s\n", b->input, text);
	b->complaints[b->complaint_count++] = text;
	if (b->complaint_count == COMPLAINTS_MOST)
		fprintf(stderr, "gridloop: further complaints are only counted\n");
}

/* ---- from a post to an alarm ---- */

static const struct camera *find_camera(const struct bridge *b, const struct camera_post *p, int *which)
{
	const struct camera *found = NULL;

	for (*which = 0; *which < p->name_count; ++*which) {
		found = policy_camera_device(b->policy, b->gateway, p->names[*which]);
		if (!found)
			found = policy_camera(b->policy, p->names[*which]);
		if (found && strcmp(found->gateway, b->gateway) == 0)
			return found;
	}
	return NULL;
}

static const struct camera_label *find_label(const struct bridge *b, const struct camera *k,
                                             const struct camera_post *p)
{
	const struct camera_label *found = NULL;

	for (int i = 0; i < p->label_count && !found; i++)
		found = policy_camera_label(b->policy, k, p->labels[i]);
	return found;
}

static void join(const char (*texts)[POST_NAME_SIZE], int count, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (int i = 0; i < count && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, "%s\"%s\"", i ? ", " : "", texts[i]);
}

static void complain_of_camera(struct bridge *b, const struct camera_post *p)
{
	char names[POST_NAMES_MOST * (POST_NAME_SIZE + 4)];

	join(p->names, p->name_count, names, sizeof names);
	b->unknown_camera++;
	complain(b, "no camera of %s is called %s; write one of these into its column \"device\" in cameras.csv",
	         b->gateway, names);
}

/* A heartbeat says that something nobody asked about is not there. */
static void complain_of_label(struct bridge *b, const struct camera *k, const struct camera_post *p)
{
	if (p->ended) {
		b->other++;
		return;
	}
	b->unknown_label++;
	complain(b, "camera %s (%s) says \"%s\"; camera_labels.csv has no row for it, for its gateway or for *", k->id,
	         k->name, p->labels[0]);
}

static void complain_of_confidence(struct bridge *b, const struct camera *k, const struct camera_label *l,
                                   const struct camera_post *p)
{
	b->unsure++;
	if (p->confidence > 0)
		return; /* a matter of every day */
	complain(
		b,
		"camera %s gives no confidence with \"%s\", and camera_labels.csv asks for %.2f; leave it empty there, "
		"for the camera has decided by itself",
		k->id, l->label, l->confidence);
}

/* 0 when the daemon would not take it. */
static int64_t sane_time(struct bridge *b, const struct camera *k, int64_t ms)
{
	if (ms == 0 || (ms >= TIME_LEAST_MS && ms <= wall_now_ms() + TIME_AHEAD_MOST_MS))
		return ms;
	complain(b, "the clock of camera %s is wrong; its times are left out", k->id);
	return 0;
}

/* Of all that is sent, so that the same post is the same request, and another one never is. */
static struct uuid key_of(const struct camera *k, const struct camera_label *l, const struct camera_post *p,
                          int64_t seen_ms)
{
	char name[POST_IDENTITY_SIZE + POST_EVENT_SIZE + 400];

	snprintf(name, sizeof name, "%s\n%s\n%s\n%s\n%" PRId64 "\n%u\n%d\n%.6f\n%s", k->id, l->label, p->channel,
	         p->event, p->began_ms, p->posts, p->ended, p->confidence, p->identity);
	return uuid_from_name(seen_ms != 0 ? seen_ms : TIME_LEAST_MS, name);
}

static void send_post(struct bridge *b, const struct camera *k, const struct camera_label *l,
                      const struct camera_post *p, _Bool with_channel)
{
	Gridloop__V1__Alarm m = GRIDLOOP__V1__ALARM__INIT;
	struct uuid key;

	m.seen_at_ms = sane_time(b, k, p->seen_ms);
	m.began_at_ms = sane_time(b, k, p->began_ms);
	key = key_of(k, l, p, m.seen_at_ms);
	m.key = wire_from_uuid(&key);
	m.camera = wire_from_text(k->id);
	m.label = wire_from_text(l->label);
	m.channel = wire_from_text(with_channel ? NULL : p->channel);
	m.event = wire_from_text(p->event);
	m.confidence = p->confidence;
	m.posts = p->posts;
	m.ended = p->ended;
	if (camera_send(b->send, &m, &b->why))
		b->sent++;
}

static void take_post(void *ctx, const struct camera_post *p)
{
	struct bridge *b = ctx;
	int which;
	const struct camera *k = find_camera(b, p, &which);
	const struct camera_label *l = k ? find_label(b, k, p) : NULL;

	if (b->why.exit != EXIT_OK)
		return;
	if (!k)
		complain_of_camera(b, p);
	else if (!l)
		complain_of_label(b, k, p);
	else if (p->confidence < l->confidence && !p->ended)
		complain_of_confidence(b, k, l, p);
	else
		send_post(b, k, l, p, p->with_channel[which]);
}

static void take_wrong(void *ctx, const char *sentence)
{
	struct bridge *b = ctx;

	b->broken++;
	complain(b, "passed over %s", sentence);
}

static void take_other(void *ctx)
{
	((struct bridge *)ctx)->other++;
}

/* ---- input ---- */

static _Bool read_input(struct bridge *b, const struct adapter *adapter, int fd)
{
	struct post_sink sink = { take_post, take_wrong, take_other, b };
	void *a = adapter->open(&sink);
	char *bytes = must_calloc(1, READ_SIZE);
	ssize_t got;

	while ((got = read(fd, bytes, READ_SIZE)) > 0 || (got < 0 && errno == EINTR)) {
		if (got > 0)
			adapter->feed(a, bytes, (size_t)got);
		if (b->why.exit != EXIT_OK || !camera_send_flush(b->send, &b->why))
			break;
	}
	if (got < 0 && b->why.exit == EXIT_OK)
		trouble_set(&b->why, EXIT_REFUSED, "%s: %s", b->input, strerror(errno));
	adapter->close(a);
	free(bytes);
	return b->why.exit == EXIT_OK;
}

static _Bool read_file(struct bridge *b, const struct adapter *adapter, const char *path)
{
	_Bool standard = strcmp(path, "-") == 0;
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);

	b->input = standard ? "standard input" : path;
	if (fd < 0)
		return trouble_set(&b->why, EXIT_USAGE, "%s: %s", path, strerror(errno));

	_Bool good = read_input(b, adapter, fd);

	if (!standard)
		(void)close(fd);
	return good;
}

static void print_totals(const struct bridge *b)
{
	fprintf(stderr,
	        "%" PRId64 " sent, %" PRId64 " no alert, %" PRId64 " of unknown cameras, %" PRId64
	        " with unknown labels, %" PRId64 " not sure enough, %" PRId64 " broken\n",
	        b->sent, b->other, b->unknown_camera, b->unknown_label, b->unsure, b->broken);
}

/* ---- the verb ---- */

static enum exit_code run_bridge_on(const struct call *call, struct bridge *b, const struct login *as)
{
	const struct options *o = &call->options;
	const char *stream = options_text(o, "--stream");
	const struct adapter *adapter = adapters[options_word(o, "--from")];

	b->gateway = as->who;
	b->send = camera_send_open(options_flag(o, "--dry-run") ? NULL : options_text(o, "--redis"),
	                           stream ? stream : STREAM_DEFAULT, as, &b->why);
	for (int i = 0; b->why.exit == EXIT_OK && i < (o->word_count ? o->word_count : 1); i++)
		if (!read_file(b, adapter, o->word_count ? o->words[i] : "-"))
			break;
	if (b->send)
		print_totals(b);
	if (b->why.exit != EXIT_OK)
		trouble_print(&b->why, 0);
	camera_send_close(b->send);
	for (size_t i = 0; i < b->complaint_count; i++)
		free(b->complaints[i]);
	if (b->why.exit != EXIT_OK)
		return b->why.exit;
	return b->unknown_camera + b->unknown_label + b->broken > 0 ? EXIT_REFUSED : EXIT_OK;
}

static _Bool find_login(struct call *call, struct login *as, enum exit_code *exit_with)
{
	const char *who = options_text(&call->options, "--as");
	struct trouble why = { 0 };

	if (options_flag(&call->options, "--dry-run") && who) {
		as->who = who;
		return 1;
	}
	if (login_find(&call->options, as, call->login_texts, &why))
		return 1;
	trouble_print(&why, 0);
	*exit_with = why.exit;
	return 0;
}

static enum exit_code run_bridge(struct call *call)
{
	const struct options *o = &call->options;
	struct problems problems = { 0 };
	struct login as = { 0 };
	enum exit_code code = EXIT_USAGE;

	if (!options_flag(o, "--dry-run") && !options_text(o, "--redis"))
		return call_usage(call, "--redis ADDRESS is needed, or --dry-run");
	if (!find_login(call, &as, &code))
		return code;

	struct bridge b = { .policy = policy_load(options_text(o, "--jurisdiction"), &problems) };
	const struct person *gateway = b.policy ? policy_person(b.policy, as.who) : NULL;

	if (!b.policy)
		problems_print(&problems, stderr);
	else if (!gateway || !(gateway->roles & ROLE_CAMERAS))
		code = call_usage(call, "\"%.64s\" is no gateway of cameras in people.csv", as.who);
	else
		code = run_bridge_on(call, &b, &as);
	policy_release(b.policy);
	problems_close(&problems);
	return code;
}

const struct verb camera_verbs[] = {
	{ .name = "camera-bridge",
	  .zh = "摄像头网桥",
	  .phase = PHASE_OPERATE,
	  .usage = "--from FORMAT --jurisdiction FOLDER (--redis ADDRESS | --dry-run) [FILE ...]",
	  .summary = "turn what cameras send into alarms in the daemon's stream",
	  .help = "Reads files, or standard input for \"-\" or none, until their end: Hikvision EventNotificationAlert "
	          "XML, also as\n"
	          "the multipart stream of /ISAPI/Event/notification/alertStream; Frigate's events; DeepStream's "
	          "JSON.\n"
	          "A camera is found in cameras.csv by its column \"device\": MAC address (with several channels\n"
	          "MAC/channel), serial number, IP address or channel name for Hikvision, its name for Frigate; or by "
	          "its id.\n"
	          "What is unknown is told once and passed over; the same post sent again has the same key and counts "
	          "once.\n"
	          "Exit code 1 when something was unknown or broken, 3 when Redis was lost: then run it again.",
	  .options = bridge_options,
	  .example = "curl -sN --digest -u USER http://192.168.1.64/ISAPI/Event/notification/alertStream |\n"
	             "  gridloop camera-bridge --from hikvision --jurisdiction /etc/gridloop/jurisdiction "
	             "--redis 127.0.0.1:6379 --as cameras-police\n"
	             "mosquitto_sub -t frigate/events | gridloop camera-bridge --from frigate --jurisdiction "
	             "config/jurisdiction --dry-run --as cameras-police",
	  .related = "check-config, case list",
	  .most_words = -1,
	  .run = run_bridge },
	{ 0 },
};
