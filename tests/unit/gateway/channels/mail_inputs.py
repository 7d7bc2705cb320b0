"""Addresses and texts that try to break out of an e-mail's headers, and the headers an e-mail may have."""

from hypothesis import strategies as st

HEADERS = {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"}


HOSTILE = st.text(
    alphabet=st.one_of(
        st.sampled_from("\r\n\x00\x1b\x0b\x0c\x85\u2028\u2029\t ,;:<>()[]\\\"'@.ab\u202e\ud800"), st.characters()
    ),
    max_size=300,
)


ADDRESSES = st.one_of(st.emails(), HOSTILE, HOSTILE.map("{}@example.com".format), HOSTILE.map("alice@{}".format))
