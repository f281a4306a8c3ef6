"""What happens: an anonymous day, a login on the next, and a tablet that two people share."""

from __future__ import annotations

from graphid.demo.stage import Stage

CRM_ACCOUNT = "999888"
WIFE = "jane.doe@example.com"


def tell(stage: Stage) -> None:
    """Play the story; the same messages, with the same ids and times, on every call."""
    _before(stage)
    _anonymous_day(stage)
    _login_next_day(stage)
    _shared_tablet(stage)


def _before(stage: Stage) -> None:
    """The CRM knows John by his account, with the address of a job that he left long ago."""
    stage.save_contact(
        (0, "06:00"),
        source="crm",
        source_id="0031-JDOE",
        identifiers={"crm_account_id": CRM_ACCOUNT, "email": "j.doe@oldwork.example"},
        first_name="John",
        last_name="Doe",
    )


def _anonymous_day(stage: Stage) -> None:
    """Somebody looks around and chats for half an hour. Nobody knows who it is."""
    laptop = stage.browser(cookie="laptop-cookie", device="laptop")
    laptop.page((0, "19:58"), "/internet", "Internet at home")
    laptop.page((0, "20:03"), "/internet/fibre", "Fibre 500")
    laptop.page((0, "20:07"), "/help/moving", "Moving house")
    chat = laptop.start_chat((0, "20:10"), "day-1")
    chat.customer((0, "20:11"), "Hi! We move to Elm Street 5 in May. Can our line move with us?")
    chat.agent((0, "20:14"), "It can. Is there a socket in the hall of the new place?")
    chat.customer((0, "20:21"), "Yes, but the previous tenants painted over it.")
    chat.agent((0, "20:33"), "Then a technician should look. I would need your account for that.")
    chat.customer((0, "20:39"), "I don't have the number here. I'll come back tomorrow.")
    chat.end((0, "20:40"))


def _login_next_day(stage: Stage) -> None:
    """He logs in, with another e-mail than the CRM has; the account number is what both know."""
    laptop = stage.browser(cookie="laptop-cookie", device="laptop")
    laptop.page((1, "08:30"), "/login", "Log in")
    laptop.identify(
        (1, "08:31"),
        user_id="web-4711",
        email="john.doe@example.com",
        firstName="John",
        lastName="Doe",
        crm_account_id=CRM_ACCOUNT,
    )
    laptop.page((1, "08:32"), "/account", "Your account")
    chat = laptop.start_chat((1, "08:35"), "day-2")
    chat.customer((1, "08:36"), "Hello, I'm back.")
    chat.agent((1, "08:37"), "Welcome back, John! The painted socket at Elm Street 5, isn't it?")
    chat.customer((1, "08:38"), "Exactly. You have no idea how glad I am not to tell it all again.")
    chat.end((1, "08:50"))


def _shared_tablet(stage: Stage) -> None:
    """John wants football boots. He logs out, but the site forgets to clear the cookie."""
    tablet = stage.browser(cookie="tablet-cookie", device="family-tablet")
    tablet.page((1, "18:00"), "/shop/football-boots", "Football boots")
    tablet.identify((1, "18:02"), user_id="web-4711", crm_account_id=CRM_ACCOUNT)
    tablet.page((1, "18:05"), "/shop/football-boots/predator", "Football boots: Predator, size 44")
    tablet.track((1, "18:09"), "Added to Wishlist", sku="PRED-44", price=89.9)
    tablet.track((1, "18:10"), "Signed Out")
    tablet.forget_user()
    tablet.page((1, "19:12"), "/help/invoices", "Understanding your invoice")
    tablet.identify((1, "19:13"), user_id="web-4802", email=WIFE, firstName="Jane", lastName="Doe")
    chat = tablet.start_chat((1, "19:15"), "tablet")
    chat.customer((1, "19:16"), "Why was I billed twice in March?")
    chat.agent((1, "19:18"), "Let me look, Jane. One of the two is the fee for the new modem.")
    chat.end((1, "19:25"))
