from mis_connectors.registry import MisConnectorConfig


class SpreadsheetConfig(MisConnectorConfig):
    name = "mis_connectors.spreadsheet"
    label = "mis_spreadsheet"
    connector_path = "mis_connectors.spreadsheet.connector.SpreadsheetConnector"
