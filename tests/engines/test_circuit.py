"""When a model that fails is left alone, and when it is tried again."""

from app.engines.circuit import COOL_DOWN_S, LONGEST_S, THRESHOLD, Circuit


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def opened(clock: Clock) -> Circuit:
    circuit = Circuit(clock)
    for _ in range(THRESHOLD):
        fail(circuit)
    return circuit


def fail(circuit: Circuit, **how: object) -> None:
    ticket = circuit.admit()
    assert ticket is not None
    circuit.failed(ticket, **how)  # type: ignore[arg-type]


def succeed(circuit: Circuit) -> None:
    ticket = circuit.admit()
    assert ticket is not None
    circuit.succeeded(ticket)


def test_failures_in_a_row_open_it() -> None:
    circuit = Circuit(Clock())
    for _ in range(THRESHOLD - 1):
        fail(circuit)
    succeed(circuit)
    for _ in range(THRESHOLD - 1):
        fail(circuit)
    assert circuit.opens_in == 0
    fail(circuit)
    assert circuit.admit() is None
    assert circuit.opens_in == COOL_DOWN_S


def test_after_the_cool_down_one_tries() -> None:
    clock = Clock()
    circuit = opened(clock)
    clock.now += COOL_DOWN_S
    ticket = circuit.admit()
    assert ticket is not None
    assert circuit.admit() is None
    circuit.succeeded(ticket)
    assert circuit.admit() is not None
    # Closed for good: it takes as many failures as at first to open it.
    fail(circuit)
    assert circuit.admit() is not None


def test_a_failed_try_doubles_the_cool_down() -> None:
    clock = Clock()
    circuit = opened(clock)
    for cool_down in (COOL_DOWN_S, COOL_DOWN_S * 2, COOL_DOWN_S * 4):
        assert circuit.opens_in == cool_down
        clock.now += cool_down
        fail(circuit)
    for _ in range(10):
        clock.now += LONGEST_S
        fail(circuit)
    assert circuit.opens_in == LONGEST_S


def test_a_try_that_tells_nothing_lets_the_next_one_try() -> None:
    clock = Clock()
    circuit = opened(clock)
    clock.now += COOL_DOWN_S
    ticket = circuit.admit()
    assert ticket is not None
    circuit.told_nothing(ticket)
    assert circuit.admit() is not None


def test_a_time_that_the_provider_names_holds_at_once() -> None:
    circuit = Circuit(Clock())
    fail(circuit, retry_after=3.0)
    assert circuit.opens_in == 3.0


def test_what_waiting_does_not_mend_opens_it_at_once() -> None:
    circuit = Circuit(Clock())
    fail(circuit, lasting=True)
    assert circuit.opens_in == LONGEST_S


def test_what_fails_together_opens_it_once() -> None:
    clock = Clock()
    circuit = Circuit(clock)
    tickets = [circuit.admit() for _ in range(200)]
    for ticket in tickets:
        assert ticket is not None
        circuit.failed(ticket)
    assert circuit.opens_in == COOL_DOWN_S
    # Nor does one of them that comes late speak for the one that tries now.
    clock.now += COOL_DOWN_S
    trying = circuit.admit()
    assert trying is not None
    assert tickets[0] is not None
    circuit.failed(tickets[0])
    assert circuit.opens_in == 0
    circuit.succeeded(trying)
    assert circuit.admit() is not None
