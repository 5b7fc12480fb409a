// Generated from docs/openapi.json by `npm run generate`; not to be edited.
export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * CancelExecution
         * @description `POST /workflow-executions/{id}/cancel`.
         */
        CancelExecution: {
            /** @default true */
            cascadeToChildren?: boolean;
            /** @default false */
            force?: boolean;
            /** @default null */
            reason?: string | null;
            /** @default null */
            requestId?: string | null;
        };
        /** @description Somebody asked for the execution to end. */
        CancellationRequestedEvent: {
            data: {
                cascade?: boolean;
                reason?: string;
                requestId?: string;
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "CANCELLATION_REQUESTED";
        };
        /** @description The child could not be told. */
        ChildWorkflowCancellationFailedEvent: {
            data: {
                childWorkflowId: string;
                error: components["schemas"]["ErrorInfo"];
                kind: string;
                name: string;
                position: number;
                /** @enum {string} */
                status: "PENDING" | "RUNNING" | "WAITING" | "CANCELLING" | "COMPLETED" | "FAILED" | "CANCELLED";
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "CHILD_WORKFLOW_CANCELLATION_FAILED";
        };
        /** @description The child is to be told to cancel. */
        ChildWorkflowCancellationRequestedEvent: {
            data: {
                childWorkflowId: string;
                command?: number;
                force?: boolean;
                kind: string;
                name: string;
                position: number;
                reason?: string;
                /** @enum {string} */
                status: "PENDING" | "RUNNING" | "WAITING" | "CANCELLING" | "COMPLETED" | "FAILED" | "CANCELLED";
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "CHILD_WORKFLOW_CANCELLATION_REQUESTED";
        };
        /** @description The child completed; appended after the child's own `WORKFLOW_COMPLETED`. */
        ChildWorkflowCompletedEvent: {
            data: {
                childWorkflowId: string;
                kind: string;
                name: string;
                output: unknown;
                position: number;
                /** @enum {string} */
                status: "PENDING" | "RUNNING" | "WAITING" | "CANCELLING" | "COMPLETED" | "FAILED" | "CANCELLED";
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "CHILD_WORKFLOW_COMPLETED";
        };
        /** @description The child failed, was cancelled (`failureType` is CANCELLED), or could not have the id asked for (ALREADY_EXISTS). */
        ChildWorkflowFailedEvent: {
            data: {
                childWorkflowId: string;
                error: components["schemas"]["ErrorInfo"];
                failureType: string;
                kind: string;
                name: string;
                position: number;
                /** @enum {string} */
                status: "PENDING" | "RUNNING" | "WAITING" | "CANCELLING" | "COMPLETED" | "FAILED" | "CANCELLED";
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "CHILD_WORKFLOW_FAILED";
        };
        /** @description Workflow code asked for a child. */
        ChildWorkflowInitiatedEvent: {
            data: {
                childWorkflowId: string;
                input: unknown;
                kind: string;
                name: string;
                /** @enum {string} */
                parentClosePolicy?: "CANCEL" | "TERMINATE" | "ABANDON";
                position: number;
                queue: string;
                /** @enum {string} */
                status: "PENDING" | "RUNNING" | "WAITING" | "CANCELLING" | "COMPLETED" | "FAILED" | "CANCELLED";
                timeoutMs?: number;
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "CHILD_WORKFLOW_INITIATED";
        };
        /** @description The child's own log has begun. */
        ChildWorkflowStartedEvent: {
            data: {
                childWorkflowId: string;
                kind: string;
                name: string;
                position: number;
                /** @enum {string} */
                status: "PENDING" | "RUNNING" | "WAITING" | "CANCELLING" | "COMPLETED" | "FAILED" | "CANCELLED";
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "CHILD_WORKFLOW_STARTED";
        };
        /** @description A request that was refused, and changed nothing. `code` is stable; `error` is for people. */
        Error: {
            code: string;
            /** @description One for each fault; `pointer` is an RFC 6901 JSON pointer, or `/` and a parameter's name. */
            details?: {
                message: string;
                pointer: string;
            }[];
            error: string;
        };
        /** @description An exception as data. */
        ErrorInfo: {
            message: string;
            retryable?: boolean;
            stack?: string;
            type: string;
        };
        /**
         * ErrorView
         * @description What went wrong in workflow or task code; `retryable` is false where trying again cannot help.
         */
        ErrorView: {
            message: string;
            retryable?: boolean;
            stack?: string;
            type: string;
        };
        /** @description One fact of one execution. */
        Event: components["schemas"]["WorkflowStartedEvent"] | components["schemas"]["WorkflowSuspendedEvent"] | components["schemas"]["WorkflowResumedEvent"] | components["schemas"]["WorkflowCompletedEvent"] | components["schemas"]["WorkflowFailedEvent"] | components["schemas"]["WorkflowCancelledEvent"] | components["schemas"]["TaskCreatedEvent"] | components["schemas"]["TaskStartedEvent"] | components["schemas"]["TaskCompletedEvent"] | components["schemas"]["TaskFailedEvent"] | components["schemas"]["TaskCancelledEvent"] | components["schemas"]["TimerStartedEvent"] | components["schemas"]["TimerFiredEvent"] | components["schemas"]["TimerCancelledEvent"] | components["schemas"]["PromiseCreatedEvent"] | components["schemas"]["PromiseResolvedEvent"] | components["schemas"]["PromiseRejectedEvent"] | components["schemas"]["PromiseTimedOutEvent"] | components["schemas"]["SignalReceivedEvent"] | components["schemas"]["ChildWorkflowInitiatedEvent"] | components["schemas"]["ChildWorkflowStartedEvent"] | components["schemas"]["ChildWorkflowCompletedEvent"] | components["schemas"]["ChildWorkflowFailedEvent"] | components["schemas"]["ChildWorkflowCancellationRequestedEvent"] | components["schemas"]["ChildWorkflowCancellationFailedEvent"] | components["schemas"]["OperationCompletedEvent"] | components["schemas"]["OperationFailedEvent"] | components["schemas"]["StateSetEvent"] | components["schemas"]["StateClearedEvent"] | components["schemas"]["CancellationRequestedEvent"] | components["schemas"]["RetryRequestedEvent"] | components["schemas"]["StreamTokenEvent"] | components["schemas"]["StreamProgressEvent"] | components["schemas"]["StreamDataEvent"] | components["schemas"]["StreamErrorEvent"];
        /**
         * ExecutionStarted
         * @description 201: the execution that now exists; 200: the one that the idempotency key stands for.
         */
        ExecutionStarted: {
            /** Format: date-time */
            createdAt: string;
            idempotencyKeyNew: boolean;
            idempotencyKeyUsed: boolean;
            kind: string;
            links: components["schemas"]["Links"];
            status: components["schemas"]["WorkflowStatus"];
            workflowExecutionId: string;
        };
        /**
         * ExecutionView
         * @description An execution as of `currentSequence`. `suspendType`, what it waits for first, is there while it is WAITING, `output` once it is COMPLETED, and may be null.
         */
        ExecutionView: {
            continuedAs?: string;
            /** Format: date-time */
            createdAt: string;
            currentSequence: number;
            error?: components["schemas"]["ErrorView"];
            failureType?: string;
            kind: string;
            links: components["schemas"]["Links"];
            metadata?: {
                [key: string]: unknown;
            };
            output?: unknown;
            parentWorkflowExecutionId?: string;
            queue: string;
            retriedFrom?: string;
            status: components["schemas"]["WorkflowStatus"];
            suspendType?: components["schemas"]["SuspendType"];
            version?: string;
            workflowExecutionId: string;
        };
        /**
         * HistoryFound
         * @description Consecutive events, those that the filter let through. `nextAfter` is the last one looked at, where the next page starts. `closed` says that the log has its terminal event; with `upToDate`, nothing will ever follow.
         */
        HistoryFound: {
            closed: boolean;
            events: components["schemas"]["Event"][];
            nextAfter: number;
            upToDate: boolean;
        };
        /**
         * Links
         * @description Where an execution can be read, from the server's root.
         */
        Links: {
            events: string;
            self: string;
            stream: string;
        };
        /** @description The function returned. */
        OperationCompletedEvent: {
            data: {
                index: number;
                issuedAt?: number;
                name: string;
                operationId: string;
                result: unknown;
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "OPERATION_COMPLETED";
        };
        /** @description The function raised. */
        OperationFailedEvent: {
            data: {
                error: components["schemas"]["ErrorInfo"];
                index: number;
                issuedAt?: number;
                name: string;
                operationId: string;
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "OPERATION_FAILED";
        };
        /** @description Where a child workflow was asked for: its parent's id and the position of the command there. */
        ParentRef: {
            position: number;
            workflowExecutionId: string;
        };
        /** @description Workflow code asked for a promise. */
        PromiseCreatedEvent: {
            data: {
                key?: string;
                name: string;
                position: number;
                promiseId: string;
                /** Format: date-time */
                timeoutAt?: string;
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "PROMISE_CREATED";
        };
        /** @description An error came instead. `requestId` as for `PromiseResolved`. */
        PromiseRejectedEvent: {
            data: {
                error: components["schemas"]["ErrorInfo"];
                name: string;
                position: number;
                promiseId: string;
                requestId?: string;
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "PROMISE_REJECTED";
        };
        /** @description The value came. `requestId` where many things came at once: by it, whoever brought the value knows that it was theirs. */
        PromiseResolvedEvent: {
            data: {
                name: string;
                position: number;
                promiseId: string;
                requestId?: string;
                value: unknown;
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "PROMISE_RESOLVED";
        };
        /** @description Nothing came in time. */
        PromiseTimedOutEvent: {
            data: {
                name: string;
                position: number;
                promiseId: string;
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "PROMISE_TIMED_OUT";
        };
        /** @description The failed execution that another begins from the history of, and who asked for that. */
        RetryOf: {
            origin: string;
            reason?: string;
            requestId?: string;
            sequence: number;
            workflowExecutionId: string;
        };
        /** @description How long to wait before the next attempt: exponential, with full or no jitter, saturating. */
        RetryPolicy: {
            initialMs?: number;
            jitter?: number;
            maxMs?: number;
            maxRetries?: number;
            multiplier?: number;
            nonRetryable?: string[];
        };
        /** @description The last of what was copied from the log of a failed execution: which one's, and how far that goes. */
        RetryRequestedEvent: {
            data: {
                reason?: string;
                requestId?: string;
                retriedFrom: string;
                retriedFromSequence: number;
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "RETRY_REQUESTED";
        };
        /**
         * SignalExecution
         * @description `POST /workflow-executions/{id}/signal`.
         */
        SignalExecution: {
            /** @default null */
            requestId?: string | null;
            signalName: string;
            /** @default null */
            signalValue?: unknown;
        };
        /** @description A signal, queued under its name in log order. */
        SignalReceivedEvent: {
            data: {
                name: string;
                requestId?: string;
                value: unknown;
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "SIGNAL_RECEIVED";
        };
        /**
         * SignalRecorded
         * @description The sequence that a signal's event has.
         */
        SignalRecorded: {
            signalEventSequence: number;
        };
        /**
         * StartExecution
         * @description `POST /workflow-executions`.
         */
        StartExecution: {
            /** @default null */
            idempotencyKey?: string | null;
            /**
             * @description From `1s` to `30d`: a whole number and one of s, m, h and d.
             * @default 24h
             */
            idempotencyKeyTTL?: string;
            /** @default null */
            input?: unknown;
            kind: string;
            /** @default null */
            metadata?: {
                [key: string]: unknown;
            } | null;
            /** @default default */
            queue?: string;
            /** @default null */
            timeoutSeconds?: number | null;
            /** @default null */
            version?: string | null;
        };
        /** @description A key was removed. */
        StateClearedEvent: {
            data: {
                key: string;
                position: number;
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "STATE_CLEARED";
        };
        /** @description A key got a value. */
        StateSetEvent: {
            data: {
                key: string;
                position: number;
                value: unknown;
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "STATE_SET";
        };
        /** @description Any JSON. */
        StreamDataEvent: {
            data: {
                attempt: number;
                payload: unknown;
                requestId?: string;
                taskExecutionId: string;
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "STREAM_DATA";
        };
        /** @description An error the task wants watchers to see; it does not fail the task. */
        StreamErrorEvent: {
            data: {
                attempt: number;
                payload: unknown;
                requestId?: string;
                taskExecutionId: string;
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "STREAM_ERROR";
        };
        /** @description A number from 0 to 1. */
        StreamProgressEvent: {
            data: {
                attempt: number;
                details?: unknown;
                payload: unknown;
                requestId?: string;
                taskExecutionId: string;
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "STREAM_PROGRESS";
        };
        /** @description A piece of text. */
        StreamTokenEvent: {
            data: {
                attempt: number;
                payload: unknown;
                requestId?: string;
                taskExecutionId: string;
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "STREAM_TOKEN";
        };
        /**
         * SuspendType
         * @description What a suspended execution waits for first.
         * @enum {string}
         */
        SuspendType: "TASK" | "TIMER" | "PROMISE" | "SIGNAL" | "CHILD_WORKFLOW";
        /** @description The task will not be done. */
        TaskCancelledEvent: {
            data: {
                command?: number;
                executionCount: number;
                kind: string;
                maxRetries: number;
                position: number;
                reason?: string;
                /** @enum {string} */
                status: "PENDING" | "RUNNING" | "COMPLETED" | "FAILED" | "CANCELLED";
                taskExecutionId: string;
                workerId?: string;
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "TASK_CANCELLED";
        };
        /** @description An attempt succeeded. */
        TaskCompletedEvent: {
            data: {
                attempt: number;
                executionCount: number;
                kind: string;
                maxRetries: number;
                output: unknown;
                position: number;
                /** @enum {string} */
                status: "PENDING" | "RUNNING" | "COMPLETED" | "FAILED" | "CANCELLED";
                taskExecutionId: string;
                workerId?: string;
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "TASK_COMPLETED";
        };
        /** @description Workflow code asked for a task, or somebody started a standalone one; `executionCount` is 0. */
        TaskCreatedEvent: {
            data: {
                executionCount: number;
                heartbeatTimeoutMs?: number;
                idempotencyKey?: string;
                input: unknown;
                kind: string;
                maxRetries: number;
                metadata?: Record<string, never>;
                position: number;
                priority?: number;
                queue: string;
                retry: components["schemas"]["RetryPolicy"];
                startToCloseMs?: number;
                /** @enum {string} */
                status: "PENDING" | "RUNNING" | "COMPLETED" | "FAILED" | "CANCELLED";
                taskExecutionId: string;
                timeoutMs?: number;
                trace?: components["schemas"]["TraceContext"];
                workerId?: string;
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "TASK_CREATED";
        };
        /** @description An attempt failed: status PENDING (another follows at `retryAt`) or FAILED (permanent). `attempt` is 0 where the task's deadline passed before any had begun. */
        TaskFailedEvent: {
            data: {
                attempt: number;
                error: components["schemas"]["ErrorInfo"];
                executionCount: number;
                failureType: string;
                kind: string;
                maxRetries: number;
                position: number;
                /** Format: date-time */
                retryAt?: string;
                /** @enum {string} */
                status: "PENDING" | "RUNNING" | "COMPLETED" | "FAILED" | "CANCELLED";
                taskExecutionId: string;
                workerId?: string;
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "TASK_FAILED";
        };
        /** @description A worker claimed an attempt. Attempts count from 1. */
        TaskStartedEvent: {
            data: {
                attempt: number;
                /** Format: date-time */
                endsAt?: string;
                executionCount: number;
                kind: string;
                /** Format: date-time */
                leaseEndsAt: string;
                maxRetries: number;
                position: number;
                /** @enum {string} */
                status: "PENDING" | "RUNNING" | "COMPLETED" | "FAILED" | "CANCELLED";
                taskExecutionId: string;
                workerId?: string;
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "TASK_STARTED";
        };
        /** @description It will not fire. `command` is the position of the cancel command, or None at the execution's end. */
        TimerCancelledEvent: {
            data: {
                command?: number;
                /** Format: date-time */
                fireAt: string;
                position: number;
                timerId: string;
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "TIMER_CANCELLED";
        };
        /** @description Its moment has come. */
        TimerFiredEvent: {
            data: {
                /** Format: date-time */
                fireAt: string;
                position: number;
                timerId: string;
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "TIMER_FIRED";
        };
        /** @description Workflow code asked for a timer. */
        TimerStartedEvent: {
            data: {
                /** Format: date-time */
                fireAt: string;
                isTimeout?: boolean;
                position: number;
                timerId: string;
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "TIMER_STARTED";
        };
        /** @description What a `traceparent` and a `tracestate` header say. */
        TraceContext: {
            traceparent: string;
            tracestate?: string;
        };
        /** @description Operations and signals that workflow code awaits together; it goes on when all have settled, or as its flags say. */
        WaitGroup: {
            anyOf?: boolean;
            operations: string;
            settled?: boolean;
            shielded?: boolean;
            signals?: string[];
        };
        /** @description The execution was cancelled. */
        WorkflowCancelledEvent: {
            data: {
                horizon: number;
                kind: string;
                parentWorkflowExecutionId?: string;
                reason?: string;
                /** @enum {string} */
                status: "PENDING" | "RUNNING" | "WAITING" | "CANCELLING" | "COMPLETED" | "FAILED" | "CANCELLED";
                unseen?: number[];
                workerId?: string;
                workflowExecutionId: string;
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "WORKFLOW_CANCELLED";
        };
        /** @description The code returned, or continued as another execution. */
        WorkflowCompletedEvent: {
            data: {
                carriedSignals?: number[];
                continuedAs?: string;
                continuedInput?: unknown;
                horizon: number;
                kind: string;
                output: unknown;
                parentWorkflowExecutionId?: string;
                /** @enum {string} */
                status: "PENDING" | "RUNNING" | "WAITING" | "CANCELLING" | "COMPLETED" | "FAILED" | "CANCELLED";
                unseen?: number[];
                workerId?: string;
                workflowExecutionId: string;
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "WORKFLOW_COMPLETED";
        };
        /** @description The code raised, or could not go on; `failureType` says which. */
        WorkflowFailedEvent: {
            data: {
                error: components["schemas"]["ErrorInfo"];
                failureType: string;
                horizon: number;
                kind: string;
                parentWorkflowExecutionId?: string;
                /** @enum {string} */
                status: "PENDING" | "RUNNING" | "WAITING" | "CANCELLING" | "COMPLETED" | "FAILED" | "CANCELLED";
                unseen?: number[];
                workerId?: string;
                workflowExecutionId: string;
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "WORKFLOW_FAILED";
        };
        /** @description A later turn began. */
        WorkflowResumedEvent: {
            data: {
                kind: string;
                parentWorkflowExecutionId?: string;
                /** @enum {string} */
                status: "PENDING" | "RUNNING" | "WAITING" | "CANCELLING" | "COMPLETED" | "FAILED" | "CANCELLED";
                workerId?: string;
                workflowExecutionId: string;
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "WORKFLOW_RESUMED";
        };
        /** @description Sequence 1, once. */
        WorkflowStartedEvent: {
            data: {
                continuedFrom?: string;
                idempotencyKey?: string;
                input: unknown;
                kind: string;
                metadata?: Record<string, never>;
                parent?: components["schemas"]["ParentRef"];
                parentWorkflowExecutionId?: string;
                queue: string;
                retryOf?: components["schemas"]["RetryOf"];
                /** @enum {string} */
                status: "PENDING" | "RUNNING" | "WAITING" | "CANCELLING" | "COMPLETED" | "FAILED" | "CANCELLED";
                /** Format: date-time */
                timeoutAt?: string;
                trace?: components["schemas"]["TraceContext"];
                version?: string;
                workerId?: string;
                workflowExecutionId: string;
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "WORKFLOW_STARTED";
        };
        /**
         * WorkflowStatus
         * @description PENDING before the first turn, RUNNING while runnable, else WAITING; then how it ended.
         * @enum {string}
         */
        WorkflowStatus: "PENDING" | "RUNNING" | "WAITING" | "CANCELLING" | "COMPLETED" | "FAILED" | "CANCELLED";
        /** @description A turn ended, and the code waits. */
        WorkflowSuspendedEvent: {
            data: {
                horizon: number;
                kind: string;
                parentWorkflowExecutionId?: string;
                /** @enum {string} */
                status: "PENDING" | "RUNNING" | "WAITING" | "CANCELLING" | "COMPLETED" | "FAILED" | "CANCELLED";
                /** @enum {string} */
                suspendType?: "TASK" | "TIMER" | "PROMISE" | "SIGNAL" | "CHILD_WORKFLOW";
                waits: components["schemas"]["WaitGroup"][];
                workerId?: string;
                workflowExecutionId: string;
            };
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "WORKFLOW_SUSPENDED";
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
