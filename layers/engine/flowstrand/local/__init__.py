"""`flowstrand dev`: API Gateway, SQS and the table's stream in one process, around the handlers that deploy to AWS."""
