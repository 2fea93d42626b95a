/* Who can come in to give others their tokens: the machine's own socket, where root makes the first administrator, and
 * whether there is one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "care.h"
#include "doctor.h"
#include "workflow/roster.h"

#define AREA_SOCKET "socket 本机接口"
#define AREA_ADMINISTRATOR "administrator 管理员"

/* ---- the socket ---- */

/* NULL: none is meant to be there. The shipped unit's belongs to the daemon of the shipped configuration. */
static const char *socket_of(const struct doctor *d)
{
	if (d->config.listen_unix[0] != '\0')
		return d->config.listen_unix;
	return d->config.path && strcmp(d->config.path, CARE_CONFIG) == 0 ? CARE_SOCKET : NULL;
}

static void socket_is_missing(struct doctor *d, const char *path, int error)
{
	_Bool of_unit = d->config.listen_unix[0] == '\0';

	doctor_find(d, of_unit ? HEALTH_WARNING : HEALTH_PROBLEM, AREA_SOCKET,
	            of_unit ? "systemctl enable --now gridloopd-local.socket, or set listen_unix"
	                    : "start the daemon anew, which makes it; its folder must exist and be the daemon's to "
	                      "write to",
	            "%s: %s", path, strerror(error));
}

/* Whoever may write to it may connect; whose it is decides what answers there. */
static void look_at_rights(struct doctor *d, const char *path, const struct stat *about)
{
	struct stat database;
	_Bool is_owned = about->st_uid == 0 ||
	                 (stat(d->config.database, &database) == 0 && about->st_uid == database.st_uid);

	if (!is_owned)
		doctor_find(d, HEALTH_PROBLEM, AREA_SOCKET,
		            "find out who made it, remove it, start the daemon or gridloopd-local.socket anew",
		            "%s belongs to user %u, who is neither root nor the database's", path, about->st_uid);
	if (about->st_mode & S_IWOTH)
		doctor_find(d, HEALTH_WARNING, AREA_SOCKET, "chmod 660; gridloopd-local.socket has SocketMode=0660",
		            "everybody on this machine may connect to %s", path);
}

void doctor_socket(struct doctor *d)
{
	const char *path = socket_of(d);
	char address[DOCTOR_ADDRESS_SIZE];
	struct stat about;

	if (!path)
		return;
	if (stat(path, &about) == -1) {
		socket_is_missing(d, path, errno);
		return;
	}
	if (!S_ISSOCK(about.st_mode)) {
		doctor_find(d, HEALTH_PROBLEM, AREA_SOCKET, "move it away, then start the daemon anew",
		            "%s is a file, not a socket", path);
		return;
	}
	look_at_rights(d, path, &about);
	snprintf(address, sizeof address, "unix:%s", path);
	if (d->database.holder > 0)
		doctor_ask(d, AREA_SOCKET, address, 0);
}

/* ---- the administrator ---- */

static _Bool can_log_in(const struct doctor *d, const struct person *p)
{
	const struct credential *live[CREDENTIALS_A_PERSON_MOST];
	int64_t now_ms = doctor_system_clock(d) ? d->now_ms : d->database.last_ms;

	return p->token_sha256 || p->certificate || roster_of(d->database.roster, p->id, now_ms, live) > 0;
}

/* The command as it is typed here. */
static void find_missing(struct doctor *d, const char *who)
{
	const char *path = d->config.listen_unix;
	char *todo = NULL;

	must(asprintf(&todo, "on this machine: sudo gridloop identity first-administrator %s%s%s", who,
	              path[0] && strcmp(path, CARE_SOCKET) != 0 ? " --socket " : "",
	              path[0] && strcmp(path, CARE_SOCKET) != 0 ? path : "") >= 0);
	doctor_find(d, HEALTH_WARNING, AREA_ADMINISTRATOR, todo,
	            "no administrator can log in, so nobody can give out, renew or revoke a token");
	free(todo);
}

void doctor_administrator(struct doctor *d)
{
	const struct person *p, *first = NULL;

	if (!d->policy || !d->database.roster)
		return;
	for (size_t i = 0; (p = policy_person_at(d->policy, i)); i++) {
		if (!(p->roles & ROLE_ADMINISTRATOR))
			continue;
		if (can_log_in(d, p)) {
			doctor_find(d, HEALTH_OK, AREA_ADMINISTRATOR, NULL, "%s can log in", p->id);
			return;
		}
		first = first ? first : p;
	}
	if (first)
		find_missing(d, first->id);
	else
		doctor_find(
			d, HEALTH_WARNING, AREA_ADMINISTRATOR,
			"give somebody in people.csv the role administrator, gridloop reload, then on this machine: "
			"sudo gridloop identity first-administrator ID",
			"nobody in people.csv has the role administrator");
}
