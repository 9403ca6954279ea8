"""What the service answers when it refuses."""


class ServiceError(Exception):
    """An error answer: `{"__type": code, "message": …}` with an HTTP status.

    Kinesis answers its client's mistakes with 400, signatures and permissions included (the Java SDK prints
    "Service: AmazonKinesis; Status Code: 400; Error Code: UnrecognizedClientException"), and its own with 500 or 503.
    """

    def __init__(self, code, message=None, status=400):
        super().__init__(code, message)
        self.code, self.message, self.status = code, message, status

    def body(self):
        return {"__type": self.code} if self.message is None else {"__type": self.code, "message": self.message}


def invalid(message):
    return ServiceError("InvalidArgumentException", message)


def not_found(message):
    return ServiceError("ResourceNotFoundException", message)


def in_use(message):
    return ServiceError("ResourceInUseException", message)


def limit_exceeded(message):
    return ServiceError("LimitExceededException", message)


def throughput_exceeded(shard):
    stream = shard.stream
    return ServiceError("ProvisionedThroughputExceededException",
                        f"Rate exceeded for shard {shard.id} in stream {stream.name} under account {stream.account}.")
