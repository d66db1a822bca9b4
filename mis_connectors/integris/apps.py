from mis_connectors.registry import MisConnectorConfig


class IntegrisConfig(MisConnectorConfig):
    name = "mis_connectors.integris"
    label = "mis_integris"
    connector_path = "mis_connectors.integris.connector.IntegrisConnector"
