/* roles: what a person may be in a street, as bits: one may be several. Which rights a role gives: jurisdiction/rights.h.
 * The numbers are those of people.csv's words and of nothing that is kept, so a new one takes the next bit. */
#ifndef JURISDICTION_ROLES_H
#define JURISDICTION_ROLES_H

#include <stdint.h>

enum role {
	ROLE_REPORTER = 1 << 0,      /* may report */
	ROLE_ACCEPTOR = 1 << 1,      /* 受理员 */
	ROLE_DISPATCHER = 1 << 2,    /* 派遣员 */
	ROLE_WORKER = 1 << 3,        /* 网格员: verifies, checks */
	ROLE_HANDLER = 1 << 4,       /* 处置单位: acts for its unit */
	ROLE_SUPERVISOR = 1 << 5,    /* 督办 */
	ROLE_VISITOR = 1 << 6,       /* 回访员 */
	ROLE_CONVENER = 1 << 7,      /* community or street: may whistle 吹哨 */
	ROLE_STATION = 1 << 8,       /* 小哥驿站: redeems points */
	ROLE_GATEWAY = 1 << 9,       /* a platform that reports for its people */
	ROLE_CAMERAS = 1 << 10,      /* a camera gateway */
	ROLE_OPERATOR = 1 << 11,     /* runs the daemon: the replay clock */
	ROLE_ADMINISTRATOR = 1 << 12 /* gives out, renews and revokes credentials */
};
#define ROLE_BITS 13

/* Whether these are of somebody who works on what others report. */
static inline _Bool roles_are_staff(uint32_t roles)
{
	return (roles & ~(uint32_t)(ROLE_REPORTER | ROLE_GATEWAY | ROLE_CAMERAS | ROLE_ADMINISTRATOR)) != 0;
}

const char *role_name(enum role one_bit);  /* "acceptor" */
uint32_t role_from_name(const char *name); /* 0 when unknown */

#endif
