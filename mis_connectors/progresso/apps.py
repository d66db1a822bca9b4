from mis_connectors.registry import MisConnectorConfig


class ProgressoConfig(MisConnectorConfig):
    name = "mis_connectors.progresso"
    label = "mis_progresso"
    connector_path = "mis_connectors.progresso.connector.ProgressoConnector"
