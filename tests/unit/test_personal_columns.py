"""Which columns look personal by their names, and by which kind of mask."""

import pytest

from db_sync.mask.personal import default_rules, kind_by_name

# By the kind of mask.
PERSONAL = {
    "email": """
        email e_mail emails email_address emailAddress EmailAddress work_email billing_email
        mail e_mails emailaddress contactEmail unconfirmed_email EMAIL user_email_2
    """,
    "phone": """
        phone phones phone_number phoneNumber phonenumber mobile mobile_no homePhone
        cellphone cell_phone fax tel telephone whatsapp msisdn
    """,
    "ip": """
        ip ip_address ipAddress IPAddress last_sign_in_ip remote_addr client_ip ipaddr
    """,
    "name": """
        first_name firstName firstname lastname last_name surname full_name fullName
        maidenName nickname username user_name login_name display_name shipping_name
        billingName customer_name
    """,
    "date": """
        birthday birth_date date_of_birth dateOfBirth dateofbirth dob born birthdate
        BirthDate
    """,
    "hash": """
        ssn tax_id taxId vat_number vatId passport passport_no national_id license iban bic
        accountNumber card_number credit_card creditcard cvv token tokens access_token
        authToken refreshToken reset_password_token secret client_secret password
        passwordHash password_digest encrypted_password passwd salt otp_secret api_key
        apiKey APIKey private_key session_id cookie jwt device_id user_agent userAgent
        mac_address fingerprint
    """,
    "text": """
        address addresses street street1 address_line_2 addressLine1 postal_code postcode
        zip zip_code zipcode city home_city gender religion ethnicity signature avatar_url
        photo bio
    """,
    "number": """
        lat latitude lng longitude geo geo_point location gps salary income
    """,
}
NOT_PERSONAL = """
    id created_at updated_at status count total description shipping_cost shipping_method
    platform principal passenger_count emailed_at is_emailed telemetry elation slat
    translation hostel_id addressable zipped capacity velocity birthed shipment_count
    description_html stripped recipe tip equip_id finished since continue latest flat rate
    late_fee plat companion pinned pinging opinion pancake company token_count card_count
    vat_rate vat_amount housekeeping mail_sent_count phoned surface cellar cellspacing
    namespace filename file_name table_name product_name name address_count session_count
    street_count biology graph graphics title subtitle locationless geometry_type salt_count
"""


@pytest.mark.parametrize(
    ("column", "kind"),
    [(column, kind) for kind, columns in PERSONAL.items() for column in columns.split()],
)
def test_a_column_that_looks_personal_has_a_kind(column: str, kind: str) -> None:
    assert kind_by_name(column) == kind


@pytest.mark.parametrize("column", NOT_PERSONAL.split())
def test_a_column_that_only_contains_such_a_word_does_not_look_personal(column: str) -> None:
    assert kind_by_name(column) is None


@pytest.mark.parametrize(
    "type_", ["text", "jsonb", "inet", "hstore", "text[]", "integer", "tsvector"]
)
@pytest.mark.parametrize("column", ["email", "x"])
def test_every_type_has_a_default_and_a_unique_column_one_that_keeps_it_so(
    column: str, type_: str
) -> None:
    rules = default_rules(column, type_, is_unique=False)

    assert rules
    if type_ == "text":
        unique = [rule.kind for rule in default_rules(column, type_, is_unique=True)]
        assert unique == (["email", "hash", "uuid"] if column == "email" else ["hash", "uuid"])
