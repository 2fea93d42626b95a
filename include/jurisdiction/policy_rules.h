/* policy_rules: the numbers a street decides on, read from policy.conf. */
#ifndef JURISDICTION_POLICY_RULES_H
#define JURISDICTION_POLICY_RULES_H

#include <stdint.h>

#include "jurisdiction/calendar.h"
#include "jurisdiction/shifts.h"

/* Memory keeps no more than this of what doubt_again and doubt_burst count. */
#define POLICY_AGAIN_MOST 4
#define POLICY_BURST_MOST 12

/* policy.conf. Sources: domain 4 (timers), 5 (limits), 6 (rewards). */
struct policy_rules {
	struct calendar_rules week;
	struct limit accept;         /* REPORTED: 15 min */
	struct limit alarm;          /* ALARM_PENDING: 10 min */
	int64_t alarm_window_ms;     /* the same camera and label within it only counts: 10 min */
	struct limit verify;         /* VERIFYING: 30 min */
	struct limit dispatch;       /* FILED: 15 min */
	struct limit sign;           /* DISPATCHED: 30 min */
	struct limit whistle;        /* WHISTLED: 30 min */
	struct limit check;          /* HANDLED and CHECKING: 30 min */
	struct limit review;         /* CLOSED: 7 work days */
	struct limit reopen;         /* after closing: 7 work days */
	int64_t reopen_most;         /* 2 */
	int64_t suspend_most_ms;     /* 365 days */
	int64_t extend_most;         /* 2 times */
	struct limit escalate_every; /* between levels while late: 24 h */
	int64_t verify_within_m;     /* 100 m */
	int64_t same_within_m;       /* "perhaps the same" hint: 50 m */
	/* Per cent of a category's merge_m and merge_hours, each used up share added, within which it is surely the same: */
	int64_t merge_same_street;  /* two doors of one street: 80 */
	int64_t merge_crossing;     /* a crossing and a door or crossing on one of its streets: 80 */
	int64_t merge_other_street; /* doors of two streets: 25 */
	int64_t merge_no_address;   /* one of the two has none: 100 */
	int64_t merge_series_ms;    /* two of one hand sooner than this are two, where several stand in a row: 15 min */
	int64_t reward_review_above;   /* points from which a supervisor must agree: 100 */
	struct limit reward_cooling;   /* payable this long after closing: 7 work days */
	int64_t reward_interval_ms;    /* same reporter, place, category: 24 h */
	int64_t reward_place_m;        /* what "the same place" is: 50 m */
	int64_t reward_month_most;     /* per person: 1500 */
	int64_t me_too_points;         /* a merged reporter's: 1 */
	int64_t audit_keep_days;       /* rows of the audit are kept: 1095; 0: always */
	int64_t personal_keep_days;    /* after its end a case keeps its personal fields: 365; 0: always */
	int64_t new_reporter_day_most; /* reports a day of who has had no points yet: 20; 0: any number */
	int64_t reporter_day_most;     /* of everybody who may earn: 200; 0: any number */
	int64_t doubt_again; /* rewards of one reporter, place and category from which the next is in doubt: 3 */
	int64_t doubt_again_span_ms;  /* within which: 90 days */
	int64_t doubt_burst;          /* reports of one reporter from which one is in doubt: 5; 0: never */
	int64_t doubt_burst_span_ms;  /* within this long before the end of a shift: 30 min */
	struct shift_ends shift_ends; /* none: the ends of the working hours */
	_Bool doubt_household, doubt_photos;
	int64_t map_sliver_m; /* narrower overlaps and gaps of the map are passed over: 1 m */
	_Bool map_may_overlap, map_may_gap;
	_Bool auto_file;     /* trusted reporter and sure category */
	_Bool auto_dispatch; /* exactly one route */
};

#endif
