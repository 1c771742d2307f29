"""Numbers that a stock client tells the queue manager when it attaches."""
from proton import int32, symbol, ulong
from proton.reactor import LinkOption


class LinkNumber(LinkOption):
    """A link property that is a number."""

    def __init__(self, name, number):
        self.properties = {symbol(name): number}

    def apply(self, link):
        link.properties = self.properties


def Priority(number):
    return LinkNumber("priority", int32(number))


def Epoch(number):
    return LinkNumber("epoch", ulong(number))
