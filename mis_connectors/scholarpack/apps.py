from mis_connectors.registry import MisConnectorConfig


class ScholarpackConfig(MisConnectorConfig):
    name = "mis_connectors.scholarpack"
    label = "mis_scholarpack"
    connector_path = "mis_connectors.scholarpack.connector.ScholarpackConnector"
