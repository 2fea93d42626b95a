/* view: rows as messages. Texts in the messages point into the rows, the policy or the question's scratch memory. */
#ifndef INTAKE_VIEW_H
#define INTAKE_VIEW_H

#include "intake/question.h"
#include "store/query_audit.h"
#include "store/query_evidence.h"
#include "store/query_stats.h"

void view_summary(struct question *q, const struct case_row *row, Gridloop__V1__CaseSummary *out);
void view_event(const struct fact *f, Gridloop__V1__CaseEvent *out);
void view_case(struct question *q, const struct case_answer *answer, Gridloop__V1__CaseView *out);
/* Adds the case's evidence to its view. */
void view_evidence(struct question *q, const struct case_file *c, struct case_evidence *rows, size_t count,
                   Gridloop__V1__CaseView *out);
void view_notice(struct question *q, const struct notice_row *row, Gridloop__V1__Notice *out);
void view_ledger(struct question *q, const struct ledger_row *row, Gridloop__V1__LedgerRow *out);
void view_news(struct question *q, const struct news_row *row, Gridloop__V1__EventNews *out);
void view_stats(struct question *q, enum stats_by by, const struct stats_row *row, Gridloop__V1__StatsRow *out);

void view_audit(const struct audit_row *row, Gridloop__V1__AuditRow *out);

/* What proves somebody, without its secret or digest; in scratch memory. */
Gridloop__V1__Credential *view_credential(struct question *q, const struct credential *c);
Gridloop__V1__Credential *view_credential_in_file(struct question *q, const struct person *p,
                                                  enum credential_kind kind);
#define VIEW_IDENTITY_BYTES 1024 /* at most */
Gridloop__V1__Identity *view_identity(struct question *q, const struct person *p);

/* A case's number in scratch memory; empty for id 0. */
ProtobufCBinaryData view_number(struct question *q, int64_t case_id, int32_t category);

#endif
