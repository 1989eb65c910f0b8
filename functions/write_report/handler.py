"""WriteReport: writes the page of an execution that has ended, however it did."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from common.aws.exchange import Exchange
from common.entry import logged
from common.log import logger
from write_report.collecting import collect
from write_report.environment import WriteReportEnvironment
from write_report.event import execution_of, parse_ended
from write_report.history import LATEST, PAGE, metadata_of, read_history
from write_report.page.history import summarize
from write_report.page.rendering import render


def write_report(event: Any, _: LambdaContext) -> dict[str, Any]:
    """Write the page to the execution's folder, and as the latest one unless a later run has ended.

    Events may arrive twice, and in another order than the executions ended.
    """
    environment = WriteReportEnvironment.read()
    execution = parse_ended(event, environment.executions_console)
    exchange = Exchange.of(environment.exchange_bucket, execution.name)
    runs = read_history(exchange)
    earlier = tuple(run for run in runs if run.ended_at <= execution.ended_at)
    report = collect(exchange, execution, earlier)
    page, metadata = render(report), metadata_of(summarize(report))
    keys = [exchange.key(PAGE), *([LATEST] if earlier == runs else [])]
    for key in keys:
        exchange.write_page(key, page, metadata)
    logger.info("report written", report=exchange.uri(PAGE), keys=keys)
    return {"report": exchange.uri(PAGE)}


handler = logged(write_report, execution_of)
